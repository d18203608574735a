"""The outermost readings of many counters, read at once, and where the epochs of these counters start.

Reading counter by counter takes a statement or more for each: 25 ms each where the pages are not in memory, as readings
of one counter lie on as many pages, and 160 ms on Citus.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, Select, Subquery, and_, select

from iskra_server.history.model.epoch_order import EpochOrder
from iskra_server.history.model.records import QUALITIES, EpochStart, Exact, QuarterReading
from iskra_server.history.store.batches import batches
from iskra_server.history.store.mapping import epoch_start_of
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import epoch, quarter_reading
from iskra_server.meter.obis import Obis

# by the numbers of their series: the meter and the register of each
CounterNames = Mapping[int, tuple[str, Obis]]
_COLUMNS = ("raw", "scaler", "quality", "epoch")


def with_outermost(spans: Subquery) -> Select[Any]:
    """`spans` (series, first, last; two quarters with a reading) together with these two readings."""
    joined: Select[Any] = select(spans)
    for end in ("first", "last"):
        readings = quarter_reading.alias()
        is_end = and_(readings.c.series == spans.c.series, readings.c.quarter == spans.c[end])
        joined = joined.join(readings, is_end)
        joined = joined.add_columns(*(readings.c[name].label(f"{end}_{name}") for name in _COLUMNS))
    return joined


def outermost_of(row: Row[Any], meter_id: str, obis: Obis, order: EpochOrder) -> tuple[QuarterReading, QuarterReading]:
    """The two readings of a row of `with_outermost`; their epochs are in the order of time."""
    first, last = (_reading(row, end, meter_id, obis, order) for end in ("first", "last"))
    return first, last


def _reading(row: Row[Any], end: str, meter_id: str, obis: Obis, order: EpochOrder) -> QuarterReading:
    quarter = getattr(row, end)
    raw, scaler, quality, number = (getattr(row, f"{end}_{name}") for name in _COLUMNS)
    return QuarterReading(meter_id, obis, quarter, Exact(raw, scaler), QUALITIES[quality], order.epoch(quarter, number))


def epoch_orders(reads: Reads, counters: CounterNames) -> dict[int, EpochOrder]:
    """The epochs of these counters, by their numbers."""
    starts: dict[int, list[EpochStart]] = {number: [] for number in counters}
    for batch in batches(list(counters)):
        for row in reads.query(select(epoch).where(epoch.c.series.in_(batch)).order_by(epoch.c.series, epoch.c.epoch)):
            starts[row.series].append(epoch_start_of(*counters[row.series], row))
    return {number: EpochOrder(of_counter) for number, of_counter in starts.items()}
