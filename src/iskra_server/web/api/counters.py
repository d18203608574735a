"""GET /api/v1/meters/{id}/counters: what each counter showed at the beginning of every quarter-hour, as columns.

For programs that keep hours of their own, as Home Assistant does; with the power in each quarter-hour. Exact.
"""

from collections.abc import Callable, Sequence

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Instant, NumberColumn, number
from iskra_server.history.model.energy import continuous_total
from iskra_server.history.model.periods import quarter_instant
from iskra_server.history.model.records import PowerQuarter
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import scaled
from iskra_server.meter.registers import key_of
from iskra_server.web.api.history import history_endpoint
from iskra_server.web.api.quarters import MAX_DAYS
from iskra_server.web.http.endpoint import TIME_ZONE, Result, period_parameters
from iskra_server.web.http.query import Query

_MW_TO_W = -3


class CounterColumns(Struct, frozen=True):
    """Element n is the reading n x 900 s after `begin`; null where there is none.

    `total_wh` runs on where the counter restarted or the meter was replaced, so that energy is the difference of two
    elements; absent if that never happened.
    """

    name: str
    obis: str
    shown_wh: NumberColumn
    total_wh: NumberColumn | UnsetType = UNSET


class PowerColumns(Struct, frozen=True):
    """Element n is the quarter-hour from n x 900 s after `begin`; positive from the grid, negative to the grid."""

    min_w: NumberColumn
    mean_w: NumberColumn
    max_w: NumberColumn


class Counters(Struct, frozen=True):
    """The last reading is that at `end`."""

    meter: str
    simulated: bool
    tz: str
    begin: Instant
    end: Instant
    counters: list[CounterColumns]
    power: PowerColumns


def counters_of(meter: RecordedMeter, query: Query) -> Counters:
    """Raises BadRequest, and StoreError if the database does not respond."""
    first, last = query.quarters(max_days=MAX_DAYS)
    powers = meter.power_between(first, last)
    return Counters(
        meter=meter.id,
        simulated=meter.simulated,
        tz=query.tz.key,
        begin=quarter_instant(first, query.tz),
        end=quarter_instant(last, query.tz),
        counters=[_columns(meter, obis, first, last) for obis in meter.series()],
        power=PowerColumns(
            _power(powers, first, last, lambda power: power.min_mw),
            _power(powers, first, last, lambda power: power.mean_mw),
            _power(powers, first, last, lambda power: power.max_mw),
        ),
    )


def _columns(meter: RecordedMeter, obis: Obis, first: int, last: int) -> CounterColumns:
    counter = meter.counter(obis)
    shown: NumberColumn = [None] * (last - first + 1)
    total: NumberColumn = [None] * len(shown)
    for reading in counter.between(first, last + 1):
        shown[reading.quarter - first] = number(reading.value.decimal)
        if counter.epochs:
            total[reading.quarter - first] = number(continuous_total(reading, counter.epochs))
    return CounterColumns(key_of(obis), str(obis), shown, total if counter.epochs else UNSET)


def _power(powers: Sequence[PowerQuarter], first: int, last: int, of: Callable[[PowerQuarter], int]) -> NumberColumn:
    column: NumberColumn = [None] * (last - first)
    for power in powers:
        column[power.quarter - first] = number(scaled(of(power), _MW_TO_W))
    return column


ENDPOINT = history_endpoint(
    "counters",
    "What each counter showed at the beginning of every quarter-hour, and the power in each, as columns. Exact.",
    Result("the columns; null means that a quarter-hour was not measured", Counters),
    lambda _: counters_of,
    (*period_parameters(f"{MAX_DAYS} days"), TIME_ZONE),
)
