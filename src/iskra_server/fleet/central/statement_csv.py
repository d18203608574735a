"""A statement as CSV: exact Wh, local times with their offset. A row per month, total and remark."""

from collections.abc import Iterator
from typing import TextIO

from iskra_server.base.csv_lines import csv_line
from iskra_server.base.language import Language
from iskra_server.base.legal_note import LEGAL_NOTE
from iskra_server.fleet.central.statement import RegisterStatement, Statement
from iskra_server.fleet.central.statement_remarks import Remark
from iskra_server.fleet.central.statement_texts import sentence
from iskra_server.history.model.periods import quarter_instant
from iskra_server.history.model.records import QuarterReading
from iskra_server.history.store.metered_energy import MeteredEnergy

COLUMNS = (
    *("group", "meter", "register", "kind", "begin", "end"),
    *("first_time", "first_wh", "first_quality", "last_time", "last_wh", "last_quality"),
    *("energy_wh", "quarters", "missing", "estimated", "text", "note"),
)
_Row = dict[str, str | int]


def write_csv(statement: Statement, file: TextIO, language: Language) -> None:
    """`kind` is month, between (known, but in no month), total or remark; only remarks have a text."""
    file.write(csv_line(COLUMNS))
    group = " ".join(f"{group.kind}:{group.value}" for group in statement.groups)
    for row in _rows(statement, language):
        cells = {"group": group, "note": LEGAL_NOTE[language], **row}
        file.write(csv_line(cells.get(column, "") for column in COLUMNS))


def _rows(statement: Statement, language: Language) -> Iterator[_Row]:
    yield from _remark_rows(statement.remarks, statement, language)
    for meter in statement.meters:
        for part in meter.registers:
            name: _Row = {"meter": meter.meter_id, "register": str(part.obis)}
            for row in _register_rows(part, statement):
                yield {**name, **row}
            for row in _remark_rows(part.remarks, statement, language):
                yield {**name, **row}
        for row in _remark_rows(meter.remarks, statement, language):
            yield {"meter": meter.meter_id, **row}
    begin, end = (quarter_instant(quarter, statement.tz) for quarter in (statement.begin, statement.end))
    for total in statement.totals:
        energy = f"{total.energy_wh:f}"
        yield {"register": str(total.obis), "kind": "total", "begin": begin, "end": end, "energy_wh": energy}


def _register_rows(part: RegisterStatement, statement: Statement) -> Iterator[_Row]:
    for energy in part.months:
        yield {"kind": "month", **_energy(energy, statement)}
    total = _energy(part.total, statement)
    if part.between:
        yield {"kind": "between", "begin": total["begin"], "end": total["end"], "energy_wh": f"{part.between:f}"}
    yield {"kind": "total", **total}


def _energy(energy: MeteredEnergy, statement: Statement) -> _Row:
    first, last = energy.readings
    return {
        "begin": quarter_instant(energy.begin, statement.tz),
        "end": quarter_instant(energy.end, statement.tz),
        **_reading("first", first, statement),
        **_reading("last", last, statement),
        "energy_wh": "" if energy.energy_wh is None else f"{energy.energy_wh:f}",
        "quarters": energy.quarters,
        "missing": energy.missing,
        "estimated": energy.estimated,
    }


def _reading(name: str, reading: QuarterReading | None, statement: Statement) -> _Row:
    if reading is None:
        return {}
    return {
        f"{name}_time": quarter_instant(reading.quarter, statement.tz),
        f"{name}_wh": f"{reading.value.decimal:f}",
        f"{name}_quality": reading.quality,
    }


def _remark_rows(remarks: tuple[Remark, ...], statement: Statement, language: Language) -> Iterator[_Row]:
    for remark in remarks:
        yield {"kind": "remark", "text": sentence(remark, statement.tz, language)}
