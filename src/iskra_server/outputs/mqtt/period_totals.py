"""Energy of today and of this month: the counter now, less what it showed when the local day and month began.

    quarter readings of history   midnight |------|------| newest          today = newest - midnight
    counter                                               ~~~~~~x now            + now - newest

Exact, like the counter. Where history has no reading at midnight, the first one after it counts, and `measured_since`
says so. Of two counters, history may know one only.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.ledger import Ledger
from iskra_server.history.model.periods import first_day, local_midnight, next_start, quarter_time
from iskra_server.history.model.records import QUARTER_S, Exact, QuarterReading, quarter_of
from iskra_server.history.store.recorded_meter import recorded_meter
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.reading import Reading, Sample, Scaled, on_one_scale, scaled
from iskra_server.meter.registers import key_of
from iskra_server.meter.units import WH_TO_KWH

if TYPE_CHECKING:
    # for their types alone: they bring the database library along
    from iskra_server.history.store.reads import Reads
    from iskra_server.history.store.store import Store

TODAY, MONTH = PERIODS = "today", "month"
COUNTERS = (IMPORT, EXPORT)


class Span(Struct, frozen=True):
    """The local day of a moment and its month: where both begin, and where the day ends, in UTC."""

    today: datetime
    month: datetime
    end: datetime

    @property
    def quarters(self) -> dict[str, int]:
        return {TODAY: quarter_of(self.today.timestamp()), MONTH: quarter_of(self.month.timestamp())}


class Counted(Struct):
    """One counter: what each period had counted when it showed `at`, in Wh, and since which quarter.

    `until` is the newest quarter in history.
    """

    at: Exact
    energy_wh: dict[str, Decimal]
    since: dict[str, int]
    until: int = 0


class PeriodTotals(Struct, frozen=True):
    """`energy_kwh` and `measured_since` by the name of the number; the latter where the beginning was not measured."""

    span: Span
    energy_kwh: dict[str, Decimal]
    measured_since: dict[str, datetime]


def span_of(moment: datetime, tz: ZoneInfo) -> Span:
    day = moment.astimezone(tz).date()
    days = (day, first_day(day, "month"), next_start(day, "day"))
    return Span(*(local_midnight(each, tz) for each in days))


def readings_at(quarter: int, before: Sample, sample: Sample) -> dict[Obis, QuarterReading]:
    """What the counters showed at the beginning of a quarter between two telegrams, as history has it."""
    ledger = Ledger()
    ledger.observe(before, with_power=False)
    records = ledger.observe(sample, with_power=False)
    if before.epoch != sample.epoch:
        return {}
    return {each.obis: each for each in records if isinstance(each, QuarterReading) and each.quarter == quarter}


def read_counted(store: "Store", span: Span, sample: Sample) -> dict[Obis, Counted] | None:
    """From history until a sample; None while it lacks the counter's present epoch. Raises StoreError."""
    with store.snapshot() as reads:
        return _counted(reads, span, sample)


def read_complete(store: "Store", span: Span, sample: Sample) -> PeriodTotals | None:
    """The totals of a day that has ended, None while history has no reading at its end. Raises StoreError."""
    with store.snapshot() as reads:
        counted = _counted(reads, span, sample, quarter_of(span.end.timestamp()))
    is_complete = counted and any(one.until == quarter_of(span.end.timestamp()) for one in counted.values())
    return totals_of(span, counted, None) if counted and is_complete else None


def _counted(reads: "Reads", span: Span, sample: Sample, last: int | None = None) -> dict[Obis, Counted] | None:
    """Up to quarter `last`, or that of the sample."""
    after = (quarter_of(sample.received_at.timestamp()) if last is None else last) + 1
    meter = recorded_meter(reads, (sample.reading.meter_id,))
    if meter is None:
        return None
    found = {}
    for obis in COUNTERS:
        own, counter = meter.own_nearest_before(obis, after), meter.counter(obis)
        newest = counter.nearest_before(after)
        if own is None or newest is None:
            continue
        if own.epoch < sample.epoch or any(start.at_s > newest.quarter * QUARTER_S for start in counter.epochs):
            return None
        one = Counted(newest.value, {}, {}, newest.quarter)
        readings = counter.look_up(list(span.quarters.values()))
        for period, quarter in span.quarters.items():
            base = readings.get(quarter) or counter.nearest_after(quarter)
            if base is not None and base.quarter <= newest.quarter:
                one.energy_wh[period] = energy_between(base, newest, counter.epochs)
                one.since[period] = base.quarter
        found[obis] = one
    return found


def advance(one: Counted, value: Exact) -> None:
    more_wh = _difference(one.at, value)
    one.at = value
    one.energy_wh = {period: energy_wh + more_wh for period, energy_wh in one.energy_wh.items()}


def _difference(before: Scaled, after: Scaled) -> Decimal:
    first, second, finest = on_one_scale(before, after)
    return scaled(second - first, finest)


def totals_of(span: Span, counted: Mapping[Obis, Counted], reading: Reading | None) -> PeriodTotals:
    """`reading`: what the counters show now; None: what they showed at the end of the span."""
    energy_kwh: dict[str, Decimal] = {}
    since: dict[str, datetime] = {}
    for obis, one in counted.items():
        register: Scaled | None = reading.get(obis) if reading else one.at
        if register is None:
            continue
        more_wh = _difference(one.at, register)
        if more_wh < 0:
            continue
        for period, energy_wh in one.energy_wh.items():
            name = f"{key_of(obis)}_{period}"
            energy_kwh[name] = (energy_wh + more_wh).scaleb(WH_TO_KWH)
            if one.since[period] != span.quarters[period]:
                since[name] = quarter_time(one.since[period], UTC)
    return PeriodTotals(span, energy_kwh, since)
