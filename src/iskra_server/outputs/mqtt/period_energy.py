"""Energy of today and of this month: the counter now, less what it showed when the local day and month began.

    quarter readings of history   midnight |------|------| newest          today = newest - midnight
    counter                                               ~~~~~~x now            + now - newest

Exact, like the counter. At the first telegram of a day its reading at midnight is computed as history does, so that the
sum of the day before is complete before the new day begins. Where history has no reading at midnight, the first one
after it counts, and `measured_since` says so. Nothing is published while a reading is missing that history may still
write, or while a restarted counter is not in history yet. Of two counters, history may know one only.

A virtual meter that is a difference sends no counters: its energy is that of history, up to the newest quarter-hour. A
day that has ended is complete as soon as history has the reading at midnight; the new day has no totals until then.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.ledger import Ledger
from iskra_server.history.model.periods import first_day, local_midnight, next_start, quarter_time
from iskra_server.history.model.records import QUARTER_S, Exact, QuarterReading, quarter_of
from iskra_server.history.store import StoreError
from iskra_server.history.store.recorded_meter import recorded_meter
from iskra_server.meter.medium import is_electricity
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.reading import Reading, Sample, Scaled, on_one_scale, scaled
from iskra_server.meter.registers import key_of
from iskra_server.meter.units import WH_TO_KWH
from iskra_server.meter.virtual_meter import is_virtual
from iskra_server.outputs.mqtt.history_retry import HistoryRetry

if TYPE_CHECKING:
    # for their types alone: they bring the database library along
    from iskra_server.history.store.reads import Reads
    from iskra_server.history.store.store import Store

log = logging.getLogger(__name__)

TODAY, MONTH = PERIODS = "today", "month"
COUNTERS = (IMPORT, EXPORT)
# between two reads, of all meters together
_PAUSE_S = 5.0


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


class _Meter(Struct):
    """`counted` is None while history does not say; `epoch` is that of its readings. `sent`: its counters.

    Not `sends_counters`: history alone has them, up to quarter `until`. `ended` is a day of such a meter whose end
    history did not have yet, `complete` its totals.
    """

    span: Span
    sample: Sample
    sent: set[Obis]
    retry: HistoryRetry
    epoch: int = 0
    counted: dict[Obis, Counted] | None = None
    sends_counters: bool = True
    until: int = 0
    ended: Span | None = None
    complete: PeriodTotals | None = None

    @property
    def is_due(self) -> bool:
        """Whether history has to be asked, and has not just been."""
        counted = self.counted or {}
        if not self.sends_counters:
            is_behind = self.until < quarter_of(self.sample.received_at.timestamp())
            return (not counted or is_behind) and self.retry.is_due(self.sample.received_at)
        has_all = counted.keys() >= self.sent and all(one.energy_wh.keys() == set(PERIODS) for one in counted.values())
        return not has_all and self.retry.is_due(self.sample.received_at)


class PeriodEnergy:
    """Of every electricity meter. Outlives connections; `run` reads history, in a thread."""

    def __init__(self, tz: ZoneInfo, store: "Callable[[], Store | None]") -> None:
        self.tz = tz
        self._store = store
        self._meters: dict[str, _Meter] = {}
        self._has_request = asyncio.Event()

    def observe(self, sample: Sample) -> list[PeriodTotals]:
        """The totals of a day that ends with this sample, and of its month, complete; none on most samples."""
        name = sample.reading.meter_id
        meter = self._meters.get(name)
        sent = {obis for obis in COUNTERS if sample.reading.get(obis)}
        if meter is None:
            if not (sent or is_virtual(sample.reading)) or not is_electricity(sample.reading):
                return []
            span = span_of(sample.received_at, self.tz)
            meter = self._meters[name] = _Meter(span, sample, sent, HistoryRetry(), sends_counters=bool(sent))
        if not sample.is_dated:
            return []
        meter.sent |= sent
        before, meter.sample = meter.sample, sample
        if meter.counted is not None and sample.epoch != meter.epoch:
            meter.counted = None
        ended = [meter.complete] if meter.complete else []
        meter.complete = None
        if not meter.span.today <= sample.received_at < meter.span.end:
            ended += self._begin_day(meter, before)
        if meter.is_due:
            self._has_request.set()
        return ended

    def totals(self, reading: Reading) -> PeriodTotals | None:
        """With the registers of a reading; None of a meter that history does not record, or whose day is incomplete."""
        meter = self._meters.get(reading.meter_id)
        if meter is None or meter.ended or meter.complete:
            return None
        return _totals(meter.span, meter.counted or {}, reading if meter.sends_counters else None)

    async def run(self) -> None:
        """As long as a connection lasts: reads from history what is missing, first of all what passed before it."""
        try:
            while True:
                await self._has_request.wait()
                await self.read_missing()
                await asyncio.sleep(_PAUSE_S)
        finally:
            for meter in self._meters.values():
                meter.counted, meter.retry = None, HistoryRetry()

    async def read_missing(self) -> None:
        self._has_request.clear()
        for meter in list(self._meters.values()):
            if not meter.is_due or (store := self._store()) is None:
                continue
            span, sample = meter.span, meter.sample
            meter.retry.note_request(sample.received_at)
            try:
                counted = await asyncio.to_thread(read_counted, store, span, sample)
                if not meter.sends_counters:
                    counted = {obis: one for obis, one in (counted or {}).items() if TODAY in one.energy_wh} or None
                if meter.ended and counted:
                    complete = await asyncio.to_thread(read_complete, store, meter.ended, sample)
                    meter.ended, meter.complete = None, complete
            except StoreError as error:
                log.debug("Energy of today and this month: %s", error)
                continue
            if counted is not None and meter.span == span and meter.sample.epoch == sample.epoch:
                meter.counted, meter.epoch = counted, sample.epoch
                meter.until = max(one.until for one in counted.values()) if counted else 0

    def _begin_day(self, meter: _Meter, before: Sample) -> Iterator[PeriodTotals]:
        """With the readings at midnight from these two samples where they have them; else history is asked."""
        ended, counted = meter.span, meter.counted
        meter.span, meter.counted = span_of(meter.sample.received_at, self.tz), None
        if not meter.sends_counters:
            meter.ended = ended if counted and ended.end == meter.span.today else None
            return
        readings = readings_at(meter.span.quarters[TODAY], before, meter.sample)
        if counted is None or ended.end != meter.span.today or not counted.keys() <= readings.keys():
            return
        for obis, one in counted.items():
            _advance(one, readings[obis].value)
        yield _totals(ended, counted, None)
        quarters = meter.span.quarters
        for one in counted.values():
            for period in PERIODS if meter.span.month != ended.month else (TODAY,):
                one.energy_wh[period], one.since[period] = Decimal(0), quarters[period]
        meter.counted = counted


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
    return _totals(span, counted, None) if counted and is_complete else None


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


def _advance(one: Counted, value: Exact) -> None:
    more_wh = _difference(one.at, value)
    one.at = value
    one.energy_wh = {period: energy_wh + more_wh for period, energy_wh in one.energy_wh.items()}


def _difference(before: Scaled, after: Scaled) -> Decimal:
    first, second, finest = on_one_scale(before, after)
    return scaled(second - first, finest)


def _totals(span: Span, counted: Mapping[Obis, Counted], reading: Reading | None) -> PeriodTotals:
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
