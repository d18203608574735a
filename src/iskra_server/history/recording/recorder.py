"""Records samples: into the ledger and into blocks of points, and both into the writer's queue.

The ledger continues where history stopped, so it starts when the database was open once; and nothing is recorded with
a time that the clock does not know. Until then some samples wait, enough for the ledger, and are dated by boot time.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from math import inf

from iskra_server.base.clock import DAY_S, STEP_S, Clock
from iskra_server.history.model.ledger import Ledger
from iskra_server.history.model.moment import redated
from iskra_server.history.model.records import CLOCK_TOLERANCE_S, ClockStep, LastCounter, MeterInfo, Record, quarter_of
from iskra_server.history.points.points import point_of
from iskra_server.history.recording.point_buffer import PointBuffer
from iskra_server.history.recording.resume import MeterClock, last_values, meter_clocks
from iskra_server.history.recording.waiting_samples import WaitingSample, WaitingSamples
from iskra_server.history.recording.writer import Writer
from iskra_server.history.store import StoreError
from iskra_server.history.store.reads import Reads
from iskra_server.meter.medium import is_electricity
from iskra_server.meter.reading import Sample
from iskra_server.meter.virtual_meter import is_virtual

log = logging.getLogger(__name__)

# the database answers in milliseconds; when it does not, samples wait instead of blocking their queue
_RESUME_WITHIN_S = 1.0
_RESUME_AGAIN_S = 5.0
# waiting samples that are recorded before the event loop gets a turn
_BATCH = 64
# a meter's clock that has advanced by more was set
_MAX_OFF_S = 366 * DAY_S
_MS = 1000


class Recorder:
    """One for all meters. `keep_points`: store the numbers of every telegram, not only the ledger.

    `on_resume` gets the last counters that history has, once they are read.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        flush_s: float,
        keep_points: bool,
        simulated: bool,
        on_resume: Callable[[list[LastCounter]], None] = lambda _: None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or Clock()
        self._on_resume = on_resume
        self._writer = writer
        self._keep_points = keep_points
        self._simulated = simulated
        self._ledger: Ledger | None = None
        self._waiting = WaitingSamples()
        self._points = PointBuffer(flush_s)
        self._previous: dict[str, Sample] = {}
        # reads where history stopped
        self._resuming: asyncio.Task[list[LastCounter] | None] | None = None
        self._resume_after_s = 0.0
        # what history held at the start: the last time of each meter, and its own clock
        self._stopped_s: dict[str, int] = {}
        self._meter_clocks: dict[str, MeterClock] = {}
        self._meters: dict[str, MeterInfo] = {}

    async def run(self, samples: AsyncIterator[Sample]) -> None:
        """Until the samples end. Skips simulated samples in a real history (and vice versa), undated ones, and gas.

        History is in Wh: a counter in m³ must not be added to it. Virtual meters are computed from what is recorded.
        """
        async for sample in samples:
            is_own = sample.simulated is self._simulated and not is_virtual(sample.reading)
            if is_own and sample.is_dated and is_electricity(sample.reading):
                await self._handle(sample)

    def close(self) -> None:
        """Hand everything over to the writer, which is closed after this."""
        waiting = self.waiting()
        self._writer.enqueue_samples(self._waiting.pop_all())
        if self._ledger is not None:
            for quarter in self._ledger.close_power():
                self._writer.enqueue([quarter], self._meters[quarter.meter_id])
        for block in self._points.incomplete_blocks():
            self._writer.enqueue([block], self._meters[block.meter_id])
        if waiting:
            log.warning(
                "%d readings since %s are not written yet: history is not open, or the clock is not set.",
                len(waiting),
                f"{waiting[0].received_at:%Y-%m-%d %H:%M:%S} UTC",
            )

    def waiting(self) -> list[Sample]:
        """Samples that are not recorded yet, in the order of arrival."""
        return self._waiting.samples()

    @property
    def waiting_count(self) -> int:
        return len(self._waiting)

    def spool_waiting(self) -> None:
        """Hand waiting samples over to the writer, which spools them; not if they can be recorded now."""
        may_record = self._ledger is not None and self._clock.doubt() is None
        if not may_record and not self._writer.is_removing_samples:
            self._writer.enqueue_samples(self._waiting.pop_all())

    async def record_waiting(self) -> None:
        """Before the end: record what waits, if that has become possible."""
        waiting = self.waiting()
        if self._resuming:
            await asyncio.wait((self._resuming,), timeout=_RESUME_WITHIN_S)
        if waiting and await self._may_record(waiting[-1]):
            await self._record_waiting(waiting[-1])

    async def _handle(self, sample: Sample) -> None:
        self._compare_clocks(sample)
        if not await self._may_record(sample):
            self._waiting.add(sample, is_trusted=self._clock.doubt() is None)
            return
        self._apply_clock_step(sample)
        await self._record_waiting(sample)
        self._record(sample)

    async def _record_waiting(self, sample: Sample) -> None:
        """Record what has waited, here or in the writer, before this sample arrived."""
        if has_samples := self._writer.has_samples:
            spooled = await asyncio.to_thread(self._writer.pop_samples)
            self._waiting.restore(waiting for waiting in spooled if self._is_new(waiting))
        samples = deque(self._waiting.pop_dated(sample.received_at, self._clock.ahead_s))
        try:
            while samples:
                self._try_record(samples.popleft())
                if samples and len(samples) % _BATCH == 0:
                    await asyncio.sleep(0)
        finally:
            # cancelled at the end of the process: the rest waits on
            self._waiting.restore(WaitingSample(rest, is_trusted=True) for rest in samples)
            if has_samples:
                self._writer.confirm_samples()

    def _try_record(self, sample: Sample) -> None:
        """One that cannot be recorded must not block the others."""
        try:
            self._record(sample, is_complete=False)
        except Exception:
            log.exception("A waiting sample was not recorded.")

    def _is_new(self, waiting: WaitingSample) -> bool:
        """Whether history had no later record at the start: a kill may have come before the samples were removed."""
        sample, is_trusted = waiting
        at = (sample if is_trusted else redated(sample, self._clock.ahead_s)).received_at
        return at.timestamp() > self._stopped_s.get(sample.reading.meter_id, -inf)

    async def _may_record(self, sample: Sample) -> bool:
        """Whether the clock is trusted and the ledger has resumed; resumes it if possible."""
        if self._clock.doubt() is not None:
            return False
        if self._ledger is not None:
            return True
        store = self._writer.store
        can_resume = self._writer.caught_up and time.monotonic() >= self._resume_after_s
        if self._resuming is None and store is not None and can_resume:
            reading = asyncio.to_thread(self._read_last_counters, store, sample)
            self._resuming = asyncio.create_task(reading, name="resuming")
            await asyncio.wait((self._resuming,), timeout=_RESUME_WITHIN_S)
        if self._resuming is None or not self._resuming.done():
            return False
        task, self._resuming = self._resuming, None
        try:
            counters = task.result()
        except StoreError as error:
            self._writer.set_resume_error(str(error))
            self._resume_after_s = time.monotonic() + _RESUME_AGAIN_S
            return False
        self._writer.set_resume_error("")
        if counters is None:
            return False
        self._on_resume(counters)
        for last in counters:
            self._stopped_s[last.meter_id] = max(last.at_s, self._stopped_s.get(last.meter_id, last.at_s))
        self._ledger = Ledger.resume(counters)
        return True

    def _read_last_counters(self, store: Reads, sample: Sample) -> list[LastCounter] | None:
        """The last counters in history; None where by them the clock is not trusted. Runs in a thread."""
        now_s = sample.received_at.timestamp()
        until_tomorrow = last_values(store, now_s + DAY_S)
        self._clock.note_recorded(max((last.at_s for last in until_tomorrow), default=0))
        self._meter_clocks = meter_clocks(store, now_s + DAY_S)
        self._check_standstill(sample)
        if self._clock.doubt() is not None:
            return None
        newest_s = max((last.at_s for last in last_values(store)), default=0)
        counters = last_values(store, now_s + CLOCK_TOLERANCE_S)
        if newest_s > now_s + CLOCK_TOLERANCE_S:
            self._enqueue_step(ClockStep(newest_s, int(now_s), "ahead"), sample)
        if max((last.at_s for last in counters), default=now_s) < now_s - DAY_S:
            self._clock.restart_settling()
        return counters

    def _check_standstill(self, sample: Sample) -> None:
        """A meter's clock runs while the computer is off: it shows how long that was at least.

        A simulated meter's clock is that of this computer, at any rate and from any start: it shows nothing.
        """
        if sample.simulated:
            return
        now, stopped = sample.reading.meter_time, self._meter_clocks.get(sample.reading.meter_id)
        if stopped and now and now.kind == stopped.kind:
            passed_s = sample.received_at.timestamp() - stopped.at_s
            if STEP_S < now.seconds - stopped.seconds - passed_s < _MAX_OFF_S:
                self._clock.note_standstill()

    def _compare_clocks(self, sample: Sample) -> None:
        """A step of the wall clock that the meter's clock made too is a pause of the machine: boot time stood still."""
        self._clock.observe(sample.received_at.timestamp(), sample.monotonic_s)
        previous = self._previous.get(sample.reading.meter_id)
        self._previous[sample.reading.meter_id] = sample
        if previous is None:
            return
        passed_s = (sample.received_at - previous.received_at).total_seconds()
        before, now = previous.reading.meter_time, sample.reading.meter_time
        if passed_s - (sample.monotonic_s - previous.monotonic_s) <= STEP_S or not before or not now:
            return
        if before.kind == now.kind and abs(now.seconds - before.seconds - passed_s) <= STEP_S:
            self._clock.accept_step()
            if dropped := self._waiting.drop_untrusted():
                log.warning("%d readings cannot be dated: the machine was paused while they waited.", dropped)

    def _apply_clock_step(self, sample: Sample) -> None:
        """After a step of the clock: set aside what was recorded ahead of it, and record it again."""
        step = self._clock.pop_step()
        if step is not None and self._ledger is not None:
            self._enqueue_step(ClockStep(int(step.from_s), int(step.to_s), step.reason), sample)
            self._ledger.rewind(quarter_of(step.to_s + CLOCK_TOLERANCE_S))
            self._points.shift((step.to_s + CLOCK_TOLERANCE_S) * _MS, round((step.to_s - step.from_s) * _MS))
            self._clock.note_recorded(step.to_s)

    def _enqueue_step(self, step: ClockStep, sample: Sample) -> None:
        self._writer.enqueue([step], self._meter_of(sample))

    def _meter_of(self, sample: Sample) -> MeterInfo:
        reading, at_s = sample.reading, int(sample.received_at.timestamp())
        meter = MeterInfo(reading.meter_id, reading.server_id.hex(), sample.simulated, at_s, at_s, port=sample.source)
        self._meters[reading.meter_id] = meter
        return meter

    def _record(self, sample: Sample, *, is_complete: bool = True) -> None:
        """Not `is_complete`: other samples around it were dropped, so its quarter gets no power."""
        assert self._ledger is not None
        meter_id, meter = sample.reading.meter_id, self._meter_of(sample)
        records: list[Record] = [*self._ledger.observe(sample, with_power=is_complete)]
        self._clock.note_recorded(meter.last_s)
        if self._keep_points:
            records += self._points.add(meter_id, point_of(sample))
        else:
            self._points.keep_last(meter_id, point_of(sample))
        if records:
            self._writer.enqueue(records, meter)
