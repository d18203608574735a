"""Records what arrives: samples to the ledger and into blocks of points, and both to the writer.

History goes on where it stopped, so the ledger begins when the database has been opened once; and nothing is given a
time that the clock does not know. Until then some samples wait, enough for the ledger, and are placed by boot time.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from math import inf

from iskra_server.base.clock import DAY_S, STEP_S, Clock, Step
from iskra_server.history.model.ledger import Ledger
from iskra_server.history.model.moment import redated
from iskra_server.history.model.power_ledger import HOLDS_US
from iskra_server.history.model.records import (
    CLOCK_TOLERANCE_S,
    ClockStep,
    Exact,
    LastCounter,
    MeterInfo,
    PointBlock,
    Record,
    quarter_of,
)
from iskra_server.history.points.points import MAX_POINTS, METER_TIMES, Point, block_of, point_of, unpack
from iskra_server.history.recording.waiting import Waiting
from iskra_server.history.recording.writer import Writer
from iskra_server.history.store import StoreError
from iskra_server.history.store.reads import Reads
from iskra_server.meter.guard import is_energy_counter
from iskra_server.meter.reading import Reading, Register, Sample
from iskra_server.meter.units import WATT_HOUR

log = logging.getLogger(__name__)

_TURNS = 64
# a database answers in milliseconds; one that does not holds up no telegram
_BEGIN_WITHIN_S = 1.0
# of those that waited; the event loop gets a turn after so many
_AT_ONCE = 64
_ASK_AGAIN_S = 5.0
# a meter's clock that says more was set
_MAX_OFF_S = 366 * DAY_S
_MS = 1000
_HOLDS_MS = HOLDS_US // 1000


class Recorder:
    """One for all meters. `keep_points` says whether every telegram's numbers are kept, or the ledger alone.

    `learn` is told where history stopped, as soon as that is known.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        flush_s: float,
        keep_points: bool,
        simulated: bool,
        learn: Callable[[list[LastCounter]], None] = lambda _: None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or Clock()
        self._learn = learn
        self._writer = writer
        self._flush_ms = flush_s * _MS
        self._keep_points = keep_points
        self._simulated = simulated
        self._ledger: Ledger | None = None
        self._waiting = Waiting()
        self._before: dict[str, Sample] = {}
        # asks history where it stopped
        self._beginning: asyncio.Task[list[LastCounter] | None] | None = None
        self._ask_at_s = 0.0
        # the newest moment of each meter that history held then
        self._known_s: dict[str, int] = {}
        self._witnesses: dict[str, tuple[str, int, float]] = {}
        self._points: dict[str, list[Point]] = {}
        self._spans_ms: dict[str, float] = {}
        self._seen: dict[str, MeterInfo] = {}

    async def run(self, samples: AsyncIterator[Sample]) -> None:
        """Endless; simulated samples and real ones are never recorded together, nor those that nobody can date."""
        async for sample in samples:
            if sample.simulated is self._simulated and sample.is_dated:
                await self._take(sample)

    def close(self) -> None:
        """Hand over what is still open; the writer is closed after this."""
        waiting = self.waiting()
        self._writer.put_samples(self._waiting.give())
        if self._ledger is not None:
            for quarter in self._ledger.close_power():
                self._writer.put([quarter], self._seen[quarter.meter_id])
        for meter_id, points in self._points.items():
            self._writer.put([block_of(meter_id, points)], self._seen[meter_id])
        if waiting:
            log.warning(
                "%d readings of the time since %s wait for history, or for a clock that can be believed.",
                len(waiting),
                f"{waiting[0].received_at:%Y-%m-%d %H:%M:%S} UTC",
            )

    def waiting(self) -> list[Sample]:
        """What is not recorded yet, in the order of its arrival, each with its boot time."""
        return self._waiting.samples()

    @property
    def waiting_count(self) -> int:
        return len(self._waiting)

    def hand_over_waiting(self) -> None:
        """Let the writer keep what waits: it can put it on the disk. Not what is recorded just now, or next."""
        may_record = self._ledger is not None and self._clock.doubt() is None
        if not may_record and not self._writer.is_forgetting:
            self._writer.put_samples(self._waiting.give())

    async def record_waiting(self) -> None:
        """Before the end: what waits, if that is possible by now."""
        waiting = self.waiting()
        if self._beginning:
            await asyncio.wait((self._beginning,), timeout=_BEGIN_WITHIN_S)
        if waiting and await self._may_record(waiting[-1]):
            await self._record_waiting(waiting[-1])

    async def _record_waiting(self, sample: Sample) -> None:
        """What has waited here or with the writer until this sample arrived."""
        if has_samples := self._writer.has_samples:
            given = await asyncio.to_thread(self._writer.take_samples)
            self._waiting.restore(each for each in given if self._is_newer(*each))
        waiting = deque(self._waiting.take(sample.received_at, self._clock.ahead_s))
        try:
            while waiting:
                self._record_waited(waiting.popleft())
                if waiting and len(waiting) % _AT_ONCE == 0:
                    await asyncio.sleep(0)
        finally:
            # at the end of the process the rest waits on
            self._waiting.restore((each, True) for each in waiting)
            if has_samples:
                self._writer.samples_recorded()

    def _record_waited(self, sample: Sample) -> None:
        """One that cannot be recorded holds up none of the others."""
        try:
            self._record(sample, is_whole=False)
        except Exception:
            log.exception("a sample that waited was not recorded")

    def _is_newer(self, sample: Sample, is_believed: bool) -> bool:
        """Than what history held at the start: a kill may have come between writing a sample and forgetting it."""
        at = (sample if is_believed else redated(sample, self._clock.ahead_s)).received_at
        return at.timestamp() > self._known_s.get(sample.reading.meter_id, -inf)

    async def _take(self, sample: Sample) -> None:
        self._compare_clocks(sample)
        if not await self._may_record(sample):
            self._waiting.add(sample, is_believed=self._clock.doubt() is None)
            return
        assert self._ledger is not None
        self._note_step(sample)
        await self._record_waiting(sample)
        self._record(sample)

    async def _may_record(self, sample: Sample) -> bool:
        """Whether the clock is believed, and it is known where history stopped."""
        if self._clock.doubt() is not None:
            return False
        if self._ledger is not None:
            return True
        store = self._writer.store
        if (
            self._beginning is None
            and store is not None
            and self._writer.caught_up
            and time.monotonic() >= self._ask_at_s
        ):
            self._beginning = asyncio.create_task(asyncio.to_thread(self._begin, store, sample), name="beginning")
            await asyncio.wait((self._beginning,), timeout=_BEGIN_WITHIN_S)
        if self._beginning is None or not self._beginning.done():
            # telegrams must not pile up while the database does not answer
            return False
        asked, self._beginning = self._beginning, None
        try:
            known = asked.result()
        except StoreError as error:
            self._writer.note_resuming(str(error))
            self._ask_at_s = time.monotonic() + _ASK_AGAIN_S
            return False
        self._writer.note_resuming("")
        if known is None:
            return False
        self._learn(known)
        for last in known:
            self._known_s[last.meter_id] = max(last.at_s, self._known_s.get(last.meter_id, last.at_s))
        self._ledger = Ledger.resume(known)
        return True

    def _begin(self, store: Reads, sample: Sample) -> list[LastCounter] | None:
        """Where history stopped, to go on from there; None where the clock says what is past there."""
        now_s = sample.received_at.timestamp()
        lived = last_values(store, now_s + DAY_S)
        self._clock.lived(max((last.at_s for last in lived), default=0))
        self._witnesses = meter_times(store, now_s + DAY_S)
        self._hear_witness(sample)
        if self._clock.doubt() is not None:
            return None
        newest = max((last.at_s for last in last_values(store)), default=0)
        known = last_values(store, now_s + CLOCK_TOLERANCE_S)
        if newest > now_s + CLOCK_TOLERANCE_S:
            self._put_step(ClockStep(newest, int(now_s), "ahead"), sample)
        if max((last.at_s for last in known), default=now_s) < now_s - DAY_S:
            self._clock.unsettle()
        return known

    def _hear_witness(self, sample: Sample) -> None:
        """A meter counts its seconds while the computer is off: then they say how long that was at least."""
        time, seen = sample.reading.meter_time, self._witnesses.get(sample.reading.meter_id)
        if seen and time and time.kind == seen[0]:
            passed_s = sample.received_at.timestamp() - seen[2]
            if STEP_S < time.seconds - seen[1] - passed_s < _MAX_OFF_S:
                self._clock.stood_still()

    def _compare_clocks(self, sample: Sample) -> None:
        """Where the wall clock was set forward by as much as the meter counted, boot time stood still."""
        self._clock.observe(sample.received_at.timestamp(), sample.monotonic_s)
        before = self._before.get(sample.reading.meter_id)
        self._before[sample.reading.meter_id] = sample
        if before is None:
            return
        passed_s = (sample.received_at - before.received_at).total_seconds()
        was, time = before.reading.meter_time, sample.reading.meter_time
        if passed_s - (sample.monotonic_s - before.monotonic_s) <= STEP_S or not was or not time:
            return
        if was.kind == time.kind and abs(time.seconds - was.seconds - passed_s) <= STEP_S:
            self._clock.was_paused()
            if dropped := self._waiting.drop_doubtful():
                log.warning("%d readings cannot be placed: the machine was paused while they waited.", dropped)

    def _note_step(self, sample: Sample) -> None:
        """The clock is believed again, and was set: what was recorded ahead of it is given anew."""
        step = self._clock.step()
        if step is not None and self._ledger is not None:
            self._put_step(ClockStep(int(step.from_s), int(step.to_s), step.reason), sample)
            self._ledger.rewind(quarter_of(step.to_s + CLOCK_TOLERANCE_S))
            self._move_points(step)
            self._clock.lived(step.to_s)

    def _move_points(self, step: Step) -> None:
        """Those that were not handed over yet, from ahead of now to when they arrived."""
        until_ms, by_ms = (step.to_s + CLOCK_TOLERANCE_S) * _MS, round((step.to_s - step.from_s) * _MS)
        for points in self._points.values():
            if points[-1].at_ms > until_ms:
                points[:] = [Point(point.at_ms + by_ms, point.registers) for point in points]

    def _put_step(self, step: ClockStep, sample: Sample) -> None:
        self._writer.put([step], self._seen_now(sample))

    def _seen_now(self, sample: Sample) -> MeterInfo:
        reading, at_s = sample.reading, int(sample.received_at.timestamp())
        seen = MeterInfo(reading.meter_id, reading.server_id.hex(), sample.simulated, at_s, at_s, port=sample.source)
        self._seen[reading.meter_id] = seen
        return seen

    def _record(self, sample: Sample, *, is_whole: bool = True) -> None:
        """Not `is_whole`: of those that arrived around it the others are gone."""
        assert self._ledger is not None
        meter_id, seen = sample.reading.meter_id, self._seen_now(sample)
        records: list[Record] = [*self._ledger.observe(sample, with_power=is_whole)]
        self._clock.lived(seen.last_s)
        if self._keep_points:
            records += self._add(meter_id, point_of(sample))
        else:
            # the last one alone, for a restart to go on from
            self._points[meter_id] = [point_of(sample)]
        if records:
            self._writer.put(records, seen)

    def _add(self, meter_id: str, point: Point) -> list[PointBlock]:
        """The block that is complete before this point."""
        points = self._points.setdefault(meter_id, [])
        # those of many meters are not all packed in the same second: the first one of each is shorter by its turn
        spans_ms = self._spans_ms.setdefault(meter_id, self._flush_ms * (1 - len(self._spans_ms) % _TURNS / _TURNS))
        is_complete = points and self._is_complete(points, point, spans_ms)
        blocks = [block_of(meter_id, points)] if is_complete else []
        if is_complete:
            points = self._points[meter_id] = []
            self._spans_ms[meter_id] = self._flush_ms
        points.append(point)
        return blocks

    def _is_complete(self, points: list[Point], point: Point, spans_ms: float) -> bool:
        """It spans a flush interval, holds all that it can, or ends in a silence: so none is hidden in a block."""
        return (
            abs(point.at_ms - points[0].at_ms) >= spans_ms
            or abs(point.at_ms - points[-1].at_ms) > _HOLDS_MS
            or len(points) == MAX_POINTS
        )


def last_values(store: Reads, until_s: float = inf) -> list[LastCounter]:
    """What history holds last of every counter: at a boundary, and where it is newer in the last telegram.

    What a clock that ran ahead has put behind `until_s` is not looked at.
    """
    counters = store.last_counters(until_s)
    epochs = {(last.meter_id, last.obis): last.epoch for last in counters}
    for block in store.last_points(until_s):
        point = unpack(block.data)[-1]
        counters += (
            LastCounter(
                block.meter_id,
                register.obis,
                Exact(int(register.raw), register.scaler or 0),
                point.at_ms // _MS,
                epochs.get((block.meter_id, register.obis), 0),
            )
            for register in point.registers
            if is_energy_counter(register)
        )
    return counters


def meter_times(store: Reads, until_s: float) -> dict[str, tuple[str, int, float]]:
    """What each meter's own clock said in its last telegram: the kind of time, seconds, and when that was."""
    found = {}
    for block in store.last_points(until_s):
        point = unpack(block.data)[-1]
        for register in point.registers:
            for kind, code in METER_TIMES.items():
                if register.obis == code and not isinstance(register.raw, bytes):
                    found[block.meter_id] = kind, register.raw, point.at_ms / _MS
    return found


def remembered(counters: Iterable[LastCounter]) -> Iterator[Sample]:
    """A sample for each meter with the counters that history holds last, for the guard to go on from."""
    by_meter = sorted(counters, key=lambda last: last.meter_id)
    for meter_id, group in groupby(by_meter, key=lambda last: last.meter_id):
        known = list({last.obis: last for last in sorted(group, key=lambda last: last.at_s)}.values())
        registers = tuple(Register(last.obis, last.value.raw, last.value.scaler, WATT_HOUR) for last in known)
        at = datetime.fromtimestamp(max(last.at_s for last in known), UTC)
        epoch = max(last.epoch for last in known)
        reading = Reading(meter_id, b"", registers, None, "history", 0)
        yield Sample(reading, at, 0.0, simulated=False, source="history", epoch=epoch)
