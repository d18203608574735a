"""Our own export of counters (`export --bucket none`), read back exactly.

    time,register,value_wh,quality,epoch
    2026-11-22T10:00:00+01:00,1-0:1.8.0*255,10732309.1,measured,0
    2026-11-22T10:07:31+01:00,1-0:1.8.0*255,10732311.4,before,1      the counter restarted: its last value and
    2026-11-22T10:07:31+01:00,1-0:1.8.0*255,0.2,after,1              its first; `before` may be absent

One more column `simulated` marks a meter that does not exist.
"""

import csv
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from iskra_server.history.model.records import QUARTER_S, EpochStart, Exact, QuarterReading
from iskra_server.history.transfer.file_rows import BadRow, RecordRow, parse_energy, quote_cell
from iskra_server.history.transfer.time_formats import parse_time
from iskra_server.meter.obis import Obis

HEADER = ("time", "register", "value_wh", "quality", "epoch")
SIMULATED = "simulated"
BEFORE, AFTER = "before", "after"

_UTC = ZoneInfo("UTC")
_SECOND_US = 1_000_000
# time in Unix seconds, register, epoch
_Key = tuple[int, Obis, int]


def read_records(lines: Iterable[str], meter_id: str) -> Iterator[RecordRow | BadRow]:
    """The records of an export, whose first line is the header, as records of a meter."""
    rows = csv.reader(lines)
    next(rows, None)
    last: tuple[_Key, Exact] | None = None
    for row in rows:
        if not row:
            continue
        try:
            key, value, quality = _parsed(row)
            if quality == BEFORE:
                last = key, value
                continue
            before = last[1] if last and last[0] == key else None
            yield RecordRow(rows.line_num, _record(meter_id, key, value, quality, before))
        except ValueError as error:
            yield BadRow(rows.line_num, str(error))


def _parsed(row: list[str]) -> tuple[_Key, Exact, str]:
    if len(row) not in (len(HEADER), len(HEADER) + 1):
        raise ValueError(f"it has {len(row)} columns instead of {len(HEADER)}")
    time, register, value, quality, epoch = row[: len(HEADER)]
    if not (epoch.isascii() and epoch.isdecimal() and len(epoch) < 10):
        raise ValueError(f"{quote_cell(epoch)} is not the number of an epoch")
    at_us, *_ = parse_time(time, _UTC)
    if at_us % _SECOND_US:
        raise ValueError(f"{quote_cell(time)} is not a whole second")
    return (at_us // _SECOND_US, Obis.parse(register), int(epoch)), parse_energy(value, "Wh"), quality


def _record(meter_id: str, key: _Key, value: Exact, quality: str, before: Exact | None) -> QuarterReading | EpochStart:
    at_s, obis, epoch = key
    if quality == AFTER:
        return EpochStart(meter_id, obis, epoch, at_s, before, value)
    if at_s % QUARTER_S:
        raise ValueError("it is not at the beginning of a quarter of an hour")
    match quality:
        case "measured" | "interpolated":
            return QuarterReading(meter_id, obis, at_s // QUARTER_S, value, quality, epoch)
        case _:
            raise ValueError(
                f"{quote_cell(quality)} is not a quality; expected measured, interpolated, {BEFORE} or {AFTER}"
            )
