"""A reader takes one source's bytes to the hub: decoder, normaliser, guard. It counts everything on the way.

The counts are the `facts` that the diagnosis is made from.
"""

import asyncio
import logging
import time
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import overload

from msgspec import structs

from iskra_server.base.clock import Clock, Pulse, boottime_s, unseen_s, wall_ahead_s
from iskra_server.codecs.decoder import Decoder
from iskra_server.diagnosis.facts import CounterViolation, Facts
from iskra_server.diagnosis.notices import MANY_IGNORED
from iskra_server.diagnosis.reception import ALIGN_S, VERDICT_S, Day, Slots, StreamQuality, Window, bytes_per_s
from iskra_server.diagnosis.status import Status, run_checks
from iskra_server.diagnosis.stream_guess import MAX_BYTES, StreamGuess, recognise
from iskra_server.meter.arrival import Arrivals
from iskra_server.meter.confirmed import MAX_METERS, ConfirmedMeters
from iskra_server.meter.guard import MAX_POWER_W, Guard, HeldBack, Violation
from iskra_server.meter.lock import LockWatch
from iskra_server.meter.normalise import MeterMemory, RejectedRegister, merge_parts, normalise
from iskra_server.meter.obis import EXPORT, IMPORT
from iskra_server.meter.reading import Fault, Reading, Sample
from iskra_server.meter.status_word import phases_missing
from iskra_server.reading.arbitration import SourceArbiter
from iskra_server.reading.hub import Hub
from iskra_server.sources.source import Chunk, ReceivedWhileProbing, Source

log = logging.getLogger(__name__)
# bytes without a telegram for so long are looked at: what do they seem to be?
_PUZZLED_S = 10.0
# one head that sees two meters sees both within this time
_TURNS_S = 600.0
# twenty telegrams or more, for a support bundle
RECENT_BYTES = 8192
# the worst bytes cost some 4 us each
_BYTES_AT_ONCE = 1024
# the event loop gets a turn after so much work for one source
_TURN_S = 0.002
# a meter whose readings are held back now and then is not worth a line each time
_CALM_S = 60.0
# a meter sends fewer registers
_MAX_TOLD = 64


# a meter, its port, and which was seen on the same head before -> the one that it may have replaced
Replaced = Callable[[str, str, str | None], str | None]


class _HeardMeter:
    """What a reader keeps of one meter: `held_s` is when it was held back last, until it has been well for a while."""

    def __init__(self) -> None:
        self.memory = MeterMemory()
        self.told: set[RejectedRegister] = set()
        self.violation: Violation | None = None
        self.held_s: float | None = None
        self.epoch = 0


class Reader:
    """One per source. `run` ends when the source does: never, but for a replayed file."""

    def __init__(
        self,
        *,
        source: Source,
        decoder: Decoder,
        guard: Guard,
        hub: Hub,
        arbiter: SourceArbiter | None = None,
        name: str = "",
        stale_after_s: float | None = None,
        max_power_w: int = MAX_POWER_W,
        replaced: Replaced = lambda _meter, _port, seen_before: seen_before,
        clock: Clock | None = None,
        set_aside: Callable[[], int] = lambda: 0,
        pulse: Pulse | None = None,
    ) -> None:
        self._clock = clock or Clock()
        self._set_aside = set_aside
        self._pulse = pulse or Pulse()
        self._arrivals = Arrivals()
        self.source = source
        self._name = name
        self._stale_after_s = stale_after_s
        self._decoder = decoder
        self._guard = guard
        self._hub = hub
        self._arbiter = arbiter or SourceArbiter()
        self._max_power_w = max_power_w
        self._replaced = replaced
        self._byte_count = 0
        self._data_at_s: float | None = None
        self._ahead_s = 0.0
        self._telegrams = 0
        self._telegram_at_s: float | None = None
        self._faults: Counter[str] = Counter()
        self._window = Window()
        self._slots = Slots()
        self._unread = bytearray()
        self._recent = bytearray()
        self._judged: tuple[int, StreamGuess | None] = (0, None)
        self._sample: Sample | None = None
        self._lock = LockWatch()
        self._meter_id: str | None = None
        self._previous_meter_id: str | None = None
        self._turned_at_s: deque[float] = deque(maxlen=16)
        self._meters = ConfirmedMeters()
        self._has_told_ignored = False
        # of each confirmed meter, the one heard last at the end
        self._heard: OrderedDict[str, _HeardMeter] = OrderedDict()
        self._left_out = 0

    @property
    def meter_id(self) -> str | None:
        """The meter that this source brought last."""
        return self._meter_id

    @property
    def reads(self) -> str | None:
        """The meter that this source brings now."""
        return self._meter_id if self.source.state.is_open else None

    async def run(self) -> None:
        """A source that always has bytes waiting does not keep the event loop from the others."""
        worked_s = 0.0
        async with aclosing(self.source.chunks()) as chunks:
            async for chunk in chunks:
                for part in _parts(chunk):
                    # time of the processor: a process that was frozen, or waited for it, has not worked
                    began_s = time.thread_time()
                    self.process(part)
                    worked_s += time.thread_time() - began_s
                    if worked_s >= _TURN_S:
                        # half of the time at most
                        await asyncio.sleep(worked_s)
                        worked_s = 0.0

    def process(self, chunk: Chunk) -> None:
        """Everything that a chunk of bytes completes goes to the hub."""
        self._byte_count += len(chunk.data)
        self._data_at_s, self._ahead_s = chunk.monotonic_s, wall_ahead_s()
        self._window.arrived(len(chunk.data), chunk.monotonic_s)
        if chunk.errors:
            self._window.erred(chunk.monotonic_s, framing=chunk.errors.framing, overruns=chunk.errors.overruns)
        self._recent += chunk.data
        if len(self._recent) > 2 * RECENT_BYTES:
            del self._recent[:-RECENT_BYTES]
        self._unread += chunk.data
        del self._unread[:-MAX_BYTES]
        for result in merge_parts(self._decoder.feed(chunk.data)):
            if isinstance(result, Fault):
                self._faults[result.kind] += 1
                if result.kind != "noise":
                    self._window.damaged(chunk.monotonic_s, is_cut=result.kind in ("cut", "escape"))
                    self._slots.damaged(chunk.monotonic_s)
            else:
                self._telegrams += 1
                self._telegram_at_s = chunk.monotonic_s
                self._window.valid(chunk.monotonic_s)
                self._slots.valid(chunk.monotonic_s)
                self._unread.clear()
                self._offer(result, chunk)

    @property
    def recent_bytes(self) -> bytes:
        """The last bytes that arrived."""
        return bytes(self._recent[-RECENT_BYTES:])

    def day(self) -> Day:
        """How telegrams arrived since yesterday at this time."""
        return self._slots.day(boottime_s())

    def facts(self, now_s: float | None = None) -> Facts:
        """What is known now; `now_s` is boot time."""
        now_s = boottime_s() if now_s is None else now_s
        self._clock.look()
        unseen = unseen_s(self._ahead_s)
        state, sample, lock, meter_id = self.source.state, self._sample, self._lock, self._meter_id
        return Facts(
            name=self._name,
            source=self.source.url,
            port=state.port,
            is_open=state.is_open,
            simulated=self.source.simulated,
            byte_count=self._byte_count + state.probe.count,
            data_age_s=None if self._data_at_s is None else now_s - self._data_at_s + unseen,
            telegrams=self._telegrams,
            faults=dict(self._faults),
            quarantined=self._guard.held_back.get(meter_id, 0) if meter_id else 0,
            meter_id=meter_id,
            age_s=None if sample is None else now_s - sample.monotonic_s + unseen,
            stale_after_s=self._hub.stale_after_s(meter_id or ""),
            usual_interval_s=self._hub.usual_interval_s(meter_id or ""),
            locked=lock.locked,
            problem=state.problem,
            problem_details=state.details,
            stream_guess=self._seems(now_s),
            last_10s=self._window.quality(now_s, ALIGN_S),
            last_5min=_of_listening(state.probe) if state.probe.count else self._window.quality(now_s, VERDICT_S),
            locked_at=lock.locked_at and lock.locked_at.astimezone(),
            unlocked_for_s=lock.unlocked_for_s,
            counter_violation=_leap(self._heard[meter_id].violation if meter_id else None),
            previous_meter_id=self._replaced(meter_id, state.port, self._previous_meter_id) if meter_id else None,
            meter_changes=sum(now_s - turned_s <= _TURNS_S for turned_s in self._turned_at_s),
            clock_problem=self._clock.doubt(),
            clock_time=datetime.fromtimestamp(self._clock.wall_s, UTC).astimezone(),
            rows_set_aside=self._set_aside(),
            is_import_only=bool(sample and sample.reading.get(IMPORT) and not sample.reading.get(EXPORT)),
            phases_missing=phases_missing(sample.reading) if sample else (),
            rejected_registers=self._left_out,
            ignored_telegrams=self._meters.ignored,
        )

    def _offer(self, sent: Reading, chunk: Chunk) -> None:
        source = self.source
        is_known = self._guard.knows(sent.meter_id)
        if not self._meters.confirm(sent.meter_id, chunk.monotonic_s, is_known=is_known):
            self._report_ignored()
            return
        reading = self._normalised(sent)
        if self._meter_id not in (None, reading.meter_id):
            self._previous_meter_id = self._meter_id
            self._turned_at_s.append(chunk.monotonic_s)
            self._lock = LockWatch()
        self._meter_id = reading.meter_id
        waited_since_s = self._pulse.waited_since_s(chunk.monotonic_s)
        delay_s, is_dated = self._arrivals.delay_s(reading, chunk.monotonic_s, waited_since_s)
        sample = Sample(
            reading,
            chunk.received_at - timedelta(seconds=delay_s),
            chunk.monotonic_s - delay_s,
            source.simulated,
            source.state.port,
            is_dated=is_dated,
        )
        self._lock.saw(sample)
        if not self._arbiter.accepts(self, reading.meter_id, chunk.monotonic_s):
            # it arrived, and shows that this source is well
            self._sample = sample
            return
        result = self._guard.admit(sample, self._max_power_w)
        self._report(result)
        if isinstance(result, Sample):
            self._sample = result
            self._hub.publish(result, self._stale_after_s)

    def _normalised(self, sent: Reading) -> Reading:
        """The record of a reading; what it leaves out is counted, and logged once for each register."""
        meter = self._heard.pop(sent.meter_id, None) or _HeardMeter()
        self._heard[sent.meter_id] = meter
        if len(self._heard) > MAX_METERS:
            self._heard.popitem(last=False)
        reading, rejected = normalise(sent, meter.memory)
        for each in rejected:
            self._left_out += 1
            if each not in meter.told and len(meter.told) < _MAX_TOLD:
                meter.told.add(each)
                log.warning("%s: register %s is left out: %s", sent.meter_id, each.obis.short, each.reason)
        return reading

    def _report(self, result: Sample | HeldBack) -> None:
        """For each meter one line when readings begin to be held back, one when they are published again for good."""
        sample = result.sample if isinstance(result, HeldBack) else result
        meter_id, now_s = sample.reading.meter_id, sample.monotonic_s
        meter = self._heard[meter_id]
        if isinstance(result, HeldBack):
            if meter.held_s is None:
                log.warning("%s: reading held back: %s", meter_id, result.reason)
            meter.violation, meter.held_s = result.violation, now_s
            return
        is_new_truth, meter.epoch, meter.violation = sample.epoch > meter.epoch, sample.epoch, None
        if meter.held_s is not None and (is_new_truth or now_s - meter.held_s >= _CALM_S):
            meter.held_s = None
            log.warning("%s: readings are published again (epoch %d)", meter_id, sample.epoch)

    def _report_ignored(self) -> None:
        """One line, when it is no head that was moved: so many ids come and go."""
        if self._meters.ignored >= MANY_IGNORED and not self._has_told_ignored:
            self._has_told_ignored = True
            log.warning(
                "%s: the server id changes with almost every telegram; ids that come fewer than three times, or that "
                "are more than %d, are ignored",
                self.source.state.port,
                MAX_METERS,
            )

    def _seems(self, now_s: float) -> StreamGuess | None:
        """What the bytes since the last telegram seem to be, where it is missing."""
        if self._telegram_at_s is not None and now_s - self._telegram_at_s < _PUZZLED_S:
            return None
        heard = self.source.state.probe
        data, came = heard.data or bytes(self._unread), self._byte_count + heard.count
        if self._judged[0] != came:
            self._judged = came, recognise(data)
        return self._judged[1]


def _of_listening(heard: ReceivedWhileProbing) -> StreamQuality:
    """While a port is searched that a meter is on."""
    return StreamQuality(
        seconds=round(heard.seconds),
        valid=0,
        damaged=0,
        cut=0,
        byte_count=heard.count,
        valid_ratio=None,
        framing=heard.errors.framing if heard.errors else None,
        overruns=heard.errors.overruns if heard.errors else None,
        bytes_per_s=bytes_per_s(heard.count, heard.seconds),
    )


def _leap(violation: Violation | None) -> CounterViolation | None:
    if violation is None:
        return None
    register, before, value = violation.register.obis.short, str(violation.last.value), str(violation.register.value)
    seconds = 0 if violation.is_decrease else round(violation.seconds)
    return CounterViolation(register, before, value, seconds, violation.is_decrease)


def _parts(chunk: Chunk) -> Iterator[Chunk]:
    """What a device at a line sends is shorter than a part; a connection hands over more at once."""
    if len(chunk.data) <= _BYTES_AT_ONCE:
        yield chunk
        return
    for start in range(0, len(chunk.data), _BYTES_AT_ONCE):
        errors = None if start else chunk.errors
        yield structs.replace(chunk, data=chunk.data[start : start + _BYTES_AT_ONCE], errors=errors)


class Statuses(Sequence[Status]):
    """How each reader stands, judged when it is looked at: who asks for one of a thousand meters waits for one."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self._readers = readers

    def __iter__(self) -> Iterator[Status]:
        """One after the other: who has something else to do may do it in between."""
        same: dict[str, list[Reader]] = defaultdict(list)
        for reader in self._readers:
            if reader.meter_id:
                same[reader.meter_id].append(reader)
        return (_status(reader, same[reader.meter_id] if reader.meter_id else ()) for reader in self._readers)

    @overload
    def __getitem__(self, place: int) -> Status: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Status]: ...

    def __getitem__(self, place: int | slice) -> Status | Sequence[Status]:
        if isinstance(place, slice):
            return Statuses(self._readers[place])
        return _status(self._readers[place], self._readers)

    def __len__(self) -> int:
        return len(self._readers)


def _status(reader: Reader, among: Iterable[Reader]) -> Status:
    """Judged with the others of its meter in view; those that have read nothing yet have no meter in common."""
    others = [other.facts() for other in among if other is not reader and other.meter_id == reader.meter_id is not None]
    return run_checks(reader.facts(), others)
