"""History as tables: what the counters showed, or the energy of each bucket. Exact, with units in the header.

    time,register,value_wh,quality,epoch          begin,end,import_kwh,export_kwh,quality

The register table can be imported again (own_export.py). In the bucket table a row of quality `gap` is a time of which
only the sum is known; the sum of a column is what was measured from the first reading of the period to the last. The
history of a simulated meter has a column `simulated`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.history.model.energy import BucketLength, Energies, bucket_edges, energy_in_buckets
from iskra_server.history.model.periods import quarter_time
from iskra_server.history.model.records import QUARTER_S, EpochStart, MeterInfo, QuarterReading, quarter_of
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.reads import Reads
from iskra_server.history.transfer.own_export import AFTER, BEFORE, HEADER, SIMULATED
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import scaled
from iskra_server.meter.registers import key_of

Kind = Literal["time", "energy", "text", "number", "flag"]
Cell = datetime | Decimal | str | int | bool | None
ExportRow = tuple[Cell, ...]
# first and last quarter, inclusive
Quarters = tuple[int, int]

_BATCH = 5_000
_LAST_QUARTER = 2**31 - 1
_WORST_LAST = ("measured", "interpolated", "partial", "absent")


class ExportTable(Struct, frozen=True):
    """Columns by name, and rows that can be iterated once."""

    columns: dict[str, Kind]
    rows: Iterable[ExportRow]


def recorded_quarters(history: Reads, chain: Sequence[str]) -> Quarters | None:
    """The first and the last quarter with a reading of some meters, None where they have none. Raises StoreError."""
    quarters: list[int] = []
    for meter_id in chain:
        for obis in history.series(meter_id):
            first = history.nearest_after(meter_id, obis, -1)
            last = history.nearest_before(meter_id, obis, _LAST_QUARTER)
            quarters += [reading.quarter for reading in (first, last) if reading is not None]
    return (min(quarters), max(quarters)) if quarters else None


def counted_quarters(counters: Iterable[CounterHistory]) -> Quarters | None:
    """As `recorded_quarters`, of these counters."""
    nearest = [(counter.nearest_after(-1), counter.nearest_before(_LAST_QUARTER)) for counter in counters]
    quarters = [reading.quarter for pair in nearest for reading in pair if reading is not None]
    return (min(quarters), max(quarters)) if quarters else None


def quarters_of_period(begin: datetime, end: datetime) -> Quarters:
    """The quarters of a period, the one that begins at its end included: its reading is needed for the energy."""
    return -quarter_of(-begin.timestamp()), quarter_of(end.timestamp())


def register_table(history: Reads, meter: MeterInfo, period: Quarters, tz: ZoneInfo) -> ExportTable:
    """The quarter readings in order of time, after each epoch start before the end of the period."""
    kinds: tuple[Kind, ...] = ("time", "text", "energy", "text", "number")
    return _mark_simulated(
        dict(zip(HEADER, kinds, strict=True)), _register_rows(history, meter.meter_id, period, tz), meter
    )


def bucket_table(
    history: Reads, meter: MeterInfo, chain: Sequence[str], *, period: Quarters, length: BucketLength, tz: ZoneInfo
) -> ExportTable:
    """The energy of each bucket, one column a register, and the gaps inside the period.

    `chain` is the meter and those that it replaced, the oldest first (`ordered_chain`).
    """
    registers = sorted({obis for meter_id in chain for obis in history.series(meter_id)})
    counters = {obis: CounterHistory(history, chain, obis) for obis in registers}
    return counter_table(counters, meter, period=period, length=length, tz=tz)


def counter_table(
    counters: Mapping[Obis, CounterHistory], meter: MeterInfo, *, period: Quarters, length: BucketLength, tz: ZoneInfo
) -> ExportTable:
    """As `bucket_table`, of these counters."""
    begin, end = (quarter_time(quarter, tz) for quarter in period)
    edges = bucket_edges(begin, end, length, tz)
    energies = {obis: _energies(counter, edges) for obis, counter in counters.items()}
    columns: dict[str, Kind] = {"begin": "time", "end": "time"}
    columns |= {f"{key_of(obis).removeprefix('energy_')}_kwh": "energy" for obis in energies}
    return _mark_simulated({**columns, "quality": "text"}, _bucket_rows(energies, period, tz), meter)


def _mark_simulated(columns: dict[str, Kind], rows: Iterable[ExportRow], meter: MeterInfo) -> ExportTable:
    if not meter.simulated:
        return ExportTable(columns, rows)
    return ExportTable({**columns, SIMULATED: "flag"}, ((*row, True) for row in rows))


def _register_rows(history: Reads, meter_id: str, period: Quarters, tz: ZoneInfo) -> Iterator[ExportRow]:
    first, last = period
    series = history.series(meter_id)
    for obis in series:
        for start in history.epochs(meter_id, obis):
            if start.at_s <= last * QUARTER_S:
                yield from _start_rows(start, tz)
    for begin in range(first, last + 1, _BATCH):
        readings: list[QuarterReading] = []
        for obis in series:
            readings += history.quarter_readings_between(meter_id, obis, begin, min(begin + _BATCH, last + 1))
        for reading in sorted(readings, key=lambda reading: (reading.quarter, reading.obis)):
            yield (_time(reading.quarter, tz), str(reading.obis), reading.value.decimal, reading.quality, reading.epoch)


def _start_rows(start: EpochStart, tz: ZoneInfo) -> Iterator[ExportRow]:
    at = datetime.fromtimestamp(start.at_s, tz)
    if start.before is not None:
        yield at, str(start.obis), start.before.decimal, BEFORE, start.epoch
    yield at, str(start.obis), start.after.decimal, AFTER, start.epoch


def _energies(counter: CounterHistory, edges: Sequence[int]) -> Energies:
    return energy_in_buckets(edges, counter.look_up, counter.nearest_before, counter.nearest_after, counter.epochs)


def _bucket_rows(energies: Mapping[Obis, Energies], period: Quarters, tz: ZoneInfo) -> Iterator[ExportRow]:
    rows: list[tuple[int, int, list[Decimal | None], str]] = []
    for buckets in zip(*(energy.buckets for energy in energies.values()), strict=True):
        values = [bucket.energy_wh for bucket in buckets]
        rows.append((buckets[0].begin, buckets[0].end, values, _worst([bucket.quality for bucket in buckets])))
    for (begin, end), values in _gaps(energies, period).items():
        rows.append((begin, end, values, "gap"))
    for begin, end, values, quality in sorted(rows, key=lambda row: row[:2]):
        yield (_time(begin, tz), _time(end, tz), *map(_kwh, values), quality)


def _gaps(energies: Mapping[Obis, Energies], period: Quarters) -> dict[tuple[int, int], list[Decimal | None]]:
    """The gaps of all registers inside the period: begin, end -> the energy of each register."""
    gaps: dict[tuple[int, int], list[Decimal | None]] = {}
    for column, energy in enumerate(energies.values()):
        for gap in energy.gaps:
            if period[0] <= gap.begin and gap.end <= period[1]:
                gaps.setdefault((gap.begin, gap.end), [None] * len(energies))[column] = gap.energy_wh
    return gaps


def _worst(qualities: Sequence[str]) -> str:
    """The quality of a bucket over all registers; partial where only some of them are absent."""
    worst = max(qualities, key=_WORST_LAST.index)
    return "partial" if worst == "absent" and set(qualities) != {"absent"} else worst


def _kwh(energy_wh: Decimal | None) -> Decimal | None:
    """As integers: Decimal would round to its context."""
    if energy_wh is None:
        return None
    sign, digits, exponent = energy_wh.as_tuple()
    assert isinstance(exponent, int)
    return scaled(int(Decimal((sign, digits, 0))), exponent - 3)


def _time(quarter: int, tz: ZoneInfo) -> datetime:
    return quarter_time(quarter, tz)
