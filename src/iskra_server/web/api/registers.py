"""GET /api/v1/meters/{id}/registers: counter readings at :00 :15 :30 :45. Exact, in Wh.

With `at` the last reading of each counter at or before a moment; with `from` the readings of one counter, in pages.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Instant, Number, number
from iskra_server.history.model.energy import continuous_total
from iskra_server.history.model.periods import quarter_instant
from iskra_server.history.model.records import EpochStart, Quality, QuarterReading, quarter_of
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.obis import Obis
from iskra_server.meter.registers import BY_KEY, key_of
from iskra_server.web.api.history import history_endpoint
from iskra_server.web.http.endpoint import PERIODS, TEXT, TIME_ZONE, Parameter, Result, integer_parameter
from iskra_server.web.http.query import BadRequest, Query

DEFAULT_REGISTER = "energy_import"
DEFAULT_LIMIT = 1_000
MAX_LIMIT = 10_000


class RegisterValue(Struct, frozen=True):
    """The counter reading at the time `at`. `continuous_wh` does not restart when the counter does (epoch)."""

    name: str
    obis: str
    at: Instant
    register_wh: Number
    continuous_wh: Number
    quality: Quality
    epoch: int


class RegisterValues(Struct, frozen=True):
    """`next` is the `from` of the next page; absent on the last page."""

    meter: str
    simulated: bool
    unit: Literal["Wh"]
    tz: str
    values: list[RegisterValue]
    next: Instant | UnsetType = UNSET


def registers_of(meter: RecordedMeter, query: Query) -> RegisterValues:
    """Raises BadRequest, and StoreError if the database does not respond."""
    is_period = query.get("from") is not None
    values, next_quarter = _page(meter, query) if is_period else (_values_at(meter, query), None)
    return RegisterValues(
        meter=meter.id,
        simulated=meter.simulated,
        unit="Wh",
        tz=query.tz.key,
        values=values,
        next=UNSET if next_quarter is None else quarter_instant(next_quarter, query.tz),
    )


def register_value(reading: QuarterReading, epochs: Sequence[EpochStart], tz: ZoneInfo) -> RegisterValue:
    return RegisterValue(
        name=key_of(reading.obis),
        obis=str(reading.obis),
        at=quarter_instant(reading.quarter, tz),
        register_wh=number(reading.value.decimal),
        continuous_wh=number(continuous_total(reading, epochs)),
        quality=reading.quality,
        epoch=reading.epoch,
    )


def _values_at(meter: RecordedMeter, query: Query) -> list[RegisterValue]:
    """The last value of each counter at or before a moment; counters without one are left out."""
    for name in ("to", "limit"):
        if query.get(name) is not None:
            raise BadRequest(f"'{name}' needs a period; give 'from' too")
    registers = [_register(meter, query)] if query.get("register") is not None else meter.series()
    end = quarter_of(query.moment("at").timestamp()) + 1
    readings = ((counter, counter.nearest_before(end)) for counter in map(meter.counter, registers))
    return [register_value(reading, counter.epochs, query.tz) for counter, reading in readings if reading]


def _page(meter: RecordedMeter, query: Query) -> tuple[list[RegisterValue], int | None]:
    """The values of one counter from `from` to `to`, both included, and the first quarter of the next page."""
    if query.get("at") is not None:
        raise BadRequest("'at' is a moment and 'from' begins a period; give one of them")
    limit = query.integer("limit", default=DEFAULT_LIMIT, maximum=MAX_LIMIT)
    begin, end = query.period()
    counter = meter.counter(_register(meter, query))
    readings = list(islice(_readings(counter, _ceiling(begin), quarter_of(end.timestamp()), limit + 1), limit + 1))
    next_quarter = readings[limit].quarter if len(readings) > limit else None
    return [register_value(reading, counter.epochs, query.tz) for reading in readings[:limit]], next_quarter


def _readings(counter: CounterHistory, first: int, last: int, step: int) -> Iterator[QuarterReading]:
    """The readings from quarter `first` to `last`, queried in steps: a period may have a thousand years."""
    begin: QuarterReading | None = counter.nearest_after(first - 1)
    while begin is not None and begin.quarter <= last:
        end = min(begin.quarter + step, last + 1)
        yield from counter.between(begin.quarter, end)
        begin = counter.nearest_after(end - 1)


def _ceiling(moment: datetime) -> int:
    """The first quarter that begins at or after a moment."""
    return -quarter_of(-moment.timestamp())


def _register(meter: RecordedMeter, query: Query) -> Obis:
    text = query.get("register") or DEFAULT_REGISTER
    registers = meter.series()
    for obis in registers:
        if text in (key_of(obis), obis.short, str(obis), obis.short.removeprefix("1-0:")):
            return obis
    if not registers and text == DEFAULT_REGISTER:
        return BY_KEY[text].obis
    alternatives = f"it has {', '.join(map(key_of, registers))}" if registers else "nothing of it is recorded yet"
    raise BadRequest(f"meter {meter.id} has no register '{text}' in history; {alternatives}")


ENDPOINT = history_endpoint(
    "registers",
    "Counter readings at :00 :15 :30 :45, exact in Wh: all counters at one moment, or one counter over a period.",
    Result("the values; `next` is the `from` of the next page", RegisterValues),
    lambda _: registers_of,
    (
        Parameter("at", "the last reading of each counter at or before this moment; default: now", TEXT),
        Parameter("from", f"instead of `at`: beginning of a period: {PERIODS}", TEXT),
        Parameter("to", "a period at whose end the period ends; default: that of `from`", TEXT),
        Parameter("register", f"one register, by name or OBIS code; default in a period: {DEFAULT_REGISTER}", TEXT),
        integer_parameter("limit", "number of values per page", DEFAULT_LIMIT, MAX_LIMIT),
        TIME_ZONE,
    ),
)
