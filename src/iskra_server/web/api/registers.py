"""GET /api/v1/meters/{id}/registers: what the counters showed at the boundaries of quarters. Exact, in Wh.

One moment gives the last value of each counter until then, a period the values of one counter, page by page.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Instant, Number, local, number
from iskra_server.history.model.energy import continuous_total
from iskra_server.history.model.records import QUARTER_S, EpochStart, Quality, QuarterReading, quarter_of
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.meter.obis import Obis
from iskra_server.meter.registers import BY_KEY, key_of
from iskra_server.web.api.recorded import RecordedMeter
from iskra_server.web.http.question import BadRequest, Query

NAMES = ("at", "from", "to", "register", "limit", "tz")
DEFAULT_REGISTER = "energy_import"
DEFAULT_LIMIT = 1_000
MAX_LIMIT = 10_000


class RegisterValue(Struct, frozen=True):
    """At `at` the counter showed `register_wh`; `continuous_wh` goes on where a new epoch began anew."""

    name: str
    obis: str
    at: Instant
    register_wh: Number
    continuous_wh: Number
    quality: Quality
    epoch: int


class RegisterValues(Struct, frozen=True):
    """`next` is the `from` of the next page, where there is one."""

    meter: str
    simulated: bool
    unit: Literal["Wh"]
    tz: str
    values: list[RegisterValue]
    next: Instant | UnsetType = UNSET


def registers_of(meter: RecordedMeter, question: Query) -> RegisterValues:
    """Misuse, or StoreError for a database that does not answer."""
    is_period = question.get("from") is not None
    values, following = _page(meter, question) if is_period else (_at(meter, question), None)
    return RegisterValues(
        meter=meter.id,
        simulated=meter.simulated,
        unit="Wh",
        tz=question.tz.key,
        values=values,
        next=UNSET if following is None else local(following * QUARTER_S, question.tz),
    )


def value(quarter_reading: QuarterReading, epochs: Sequence[EpochStart], tz: ZoneInfo) -> RegisterValue:
    return RegisterValue(
        name=key_of(quarter_reading.obis),
        obis=str(quarter_reading.obis),
        at=local(quarter_reading.quarter * QUARTER_S, tz),
        register_wh=number(quarter_reading.value.decimal),
        continuous_wh=number(continuous_total(quarter_reading, epochs)),
        quality=quarter_reading.quality,
        epoch=quarter_reading.epoch,
    )


def _at(meter: RecordedMeter, question: Query) -> list[RegisterValue]:
    """The last value of each counter at or before a moment; a counter that had none yet is left out."""
    for name in ("to", "limit"):
        if question.get(name) is not None:
            raise BadRequest(f"'{name}' belongs to a period; give 'from' too")
    wanted = [_named(meter, question)] if question.get("register") is not None else meter.series()
    counters = [meter.counter(obis) for obis in wanted]
    found = (
        (counter, counter.nearest_before(quarter_of(question.moment("at").timestamp()) + 1)) for counter in counters
    )
    return [
        value(quarter_reading, counter.epochs, question.tz) for counter, quarter_reading in found if quarter_reading
    ]


def _page(meter: RecordedMeter, question: Query) -> tuple[list[RegisterValue], int | None]:
    """The values of one counter from `from` to `to`, both included, and the quarter that the next page begins with."""
    if question.get("at") is not None:
        raise BadRequest("'at' is a moment and 'from' begins a period; give one of them")
    limit = question.whole("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
    begin, end = question.period()
    counter = meter.counter(_named(meter, question))
    found = list(islice(_from(counter, _ceiling(begin), quarter_of(end.timestamp()), limit + 1), limit + 1))
    following = found[limit].quarter if len(found) > limit else None
    return [value(quarter_reading, counter.epochs, question.tz) for quarter_reading in found[:limit]], following


def _from(counter: CounterHistory, first: int, last: int, step: int) -> Iterator[QuarterReading]:
    """The boundaries from a quarter to another, asked for in steps: a period may be a thousand years."""
    begin: QuarterReading | None = counter.nearest_after(first - 1)
    while begin is not None and begin.quarter <= last:
        end = min(begin.quarter + step, last + 1)
        yield from counter.between(begin.quarter, end)
        begin = counter.nearest_after(end - 1)


def _ceiling(moment: datetime) -> int:
    return -quarter_of(-moment.timestamp())


def _named(meter: RecordedMeter, question: Query) -> Obis:
    text = question.get("register") or DEFAULT_REGISTER
    known = meter.series()
    for obis in known:
        if text in (key_of(obis), obis.short, str(obis), obis.short.removeprefix("1-0:")):
            return obis
    if not known and text == DEFAULT_REGISTER:
        return BY_KEY[text].obis
    these = f"it has {', '.join(map(key_of, known))}" if known else "nothing of it is recorded yet"
    raise BadRequest(f"meter {meter.id} has no register '{text}' in history; {these}")
