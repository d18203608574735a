"""Energy of today and of this month (period_totals.py) of each meter, with what history has to be asked for.

At the first telegram of a day its reading at midnight is computed as history does, so that the sum of the day before is
complete before the new day begins. Nothing is published while a reading is missing that history may still write, or
while a restarted counter is not in history yet.

A virtual meter that is a difference sends no counters: its energy is that of history, up to the newest quarter-hour. A
day that has ended is complete as soon as history has the reading at midnight; the new day has no totals until then.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.history.model.records import quarter_of
from iskra_server.history.store import StoreError
from iskra_server.meter.medium import is_electricity
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Sample
from iskra_server.meter.virtual_meter import is_virtual
from iskra_server.outputs.mqtt.history_retry import HistoryRetry
from iskra_server.outputs.mqtt.period_totals import (
    COUNTERS,
    PERIODS,
    TODAY,
    Counted,
    PeriodTotals,
    Span,
    advance,
    read_complete,
    read_counted,
    readings_at,
    span_of,
    totals_of,
)

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.store import Store

log = logging.getLogger(__name__)

# between two reads, of all meters together
_PAUSE_S = 5.0


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
        return totals_of(meter.span, meter.counted or {}, reading if meter.sends_counters else None)

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
            advance(one, readings[obis].value)
        yield totals_of(ended, counted, None)
        quarters = meter.span.quarters
        for one in counted.values():
            for period in PERIODS if meter.span.month != ended.month else (TODAY,):
                one.energy_wh[period], one.since[period] = Decimal(0), quarters[period]
        meter.counted = counted
