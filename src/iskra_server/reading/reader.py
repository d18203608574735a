"""A reader takes the bytes of one source to the hub: decoder, normalisation, guard.

What it counts on the way are the `Facts` that the checks of the diagnosis are computed from.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from msgspec import structs

from iskra_server.base.clock import Clock, boottime_s, possible_pause_s, wall_ahead_s
from iskra_server.base.pauses import PauseDetector
from iskra_server.codecs.decoder import PAUSE_S, Decoder, Pausing
from iskra_server.diagnosis.facts import ALIGN_S, CHECK_S, Facts, ProductionCounter, Role
from iskra_server.meter.arrival import ACCURACY_S, Arrivals
from iskra_server.meter.counter_rules import is_counter
from iskra_server.meter.guard import MAX_POWER_W, Guard
from iskra_server.meter.identity import UNKNOWN, at_port
from iskra_server.meter.lists import current_reading
from iskra_server.meter.lock import counts_whole_kwh, has_power
from iskra_server.meter.normalise import merge_parts
from iskra_server.meter.obis import EXPORT, IMPORT
from iskra_server.meter.reading import Fault, Reading, Sample
from iskra_server.meter.status_word import phases_missing
from iskra_server.meter.transformer_factor import apply_factor, exact_factor
from iskra_server.reading.arbitration import SourceArbiter
from iskra_server.reading.decoding import results
from iskra_server.reading.hub import COUNTERS_STALE_AFTER_S, STALE_AFTER_S, Hub
from iskra_server.reading.meter_state import MeterState
from iskra_server.reading.reception import Reception, ReceptionDay, quality_of_probe
from iskra_server.sources.source import Chunk, Source

# decode at most so many bytes at once: the worst bytes cost 4 us each
_MAX_PART = 1024
# after so much work for one source the event loop runs other tasks
_MAX_WORK_S = 0.002
# a reading of a polled meter is current for so many intervals: one poll may fail, and polls take time
_POLLS = 2.5


# a meter, its port, and the meter that the same head read before -> the meter that it replaced
Replaced = Callable[[str, str, str | None], str | None]


class Reader:
    """One per source. `run` ends when the source does: only a replayed file does."""

    def __init__(
        self,
        *,
        source: Source,
        decoder: Decoder,
        guard: Guard,
        hub: Hub,
        arbiter: SourceArbiter | None = None,
        name: str = "",
        role: Role = "grid",
        production_counter: ProductionCounter = "export",
        stale_after_s: float | None = None,
        counters_stale_after_s: float = COUNTERS_STALE_AFTER_S,
        max_power_w: int = MAX_POWER_W,
        has_key: bool = False,
        has_auth_key: bool = False,
        factor: float = 1.0,
        replaced: Replaced = lambda _meter, _port, seen_before: seen_before,
        clock: Clock | None = None,
        set_aside: Callable[[], int] = lambda: 0,
        missing_prices: Callable[[], dict[str, str]] = dict,
        pauses: PauseDetector | None = None,
    ) -> None:
        self.source = source
        self._decoder = decoder
        self._guard = guard
        self._hub = hub
        self._arbiter = arbiter or SourceArbiter()
        self._name = name
        self._role, self._production_counter = role, production_counter
        self._stale_after_s = stale_after_s
        self._counters_stale_after_s = counters_stale_after_s
        self._max_power_w = max_power_w
        self._has_key = has_key
        self._has_auth_key = has_auth_key
        self._factor = exact_factor(factor)
        self._replaced = replaced
        self._clock = clock or Clock()
        self._set_aside = set_aside
        self._missing_prices = missing_prices
        self._pauses = pauses or PauseDetector()
        self._arrivals = Arrivals()
        self._reception = Reception()
        self._meter = MeterState()
        # published last, or held in reserve while another source of the meter is published
        self._sample: Sample | None = None
        # of the last telegram, None if another source of its meter is published: the same goes for its sub-meters
        self._carrier: Sample | None = None
        self._ahead_s = 0.0

    @property
    def meter_id(self) -> str | None:
        """The meter of the last telegram."""
        return self._meter.meter_id

    @property
    def sub_meters(self) -> tuple[str, ...]:
        """The meters whose readings come with those of this meter."""
        return tuple(self._meter.sub_meters(boottime_s()))

    @property
    def reads(self) -> str | None:
        """The meter that this source reads now."""
        return self._meter.meter_id if self.source.state.is_open else None

    async def run(self) -> None:
        """A source that always has more bytes leaves half of the time to other tasks."""
        worked_s = 0.0
        async with aclosing(self.source.chunks()) as chunks:
            async for chunk in chunks:
                for part in _parts(chunk):
                    # CPU time: a process that was stopped, or waited for a CPU, has not worked
                    began_s = time.thread_time()
                    self.process(part)
                    worked_s += time.thread_time() - began_s
                    if worked_s >= _MAX_WORK_S:
                        await asyncio.sleep(worked_s)
                        worked_s = 0.0

    def process(self, chunk: Chunk) -> None:
        """Publish every telegram that a chunk completes."""
        self._ahead_s = wall_ahead_s()
        before_s = self._reception.data_at_s
        self._reception.count_chunk(chunk)
        if chunk.results is None:
            self._end_pause(before_s, chunk.monotonic_s)
        for result in merge_parts(results(self._decoder, chunk)):
            if isinstance(result, Fault):
                self._reception.count_fault(result, chunk.monotonic_s)
            elif result.channel:
                self._publish_sub_meter(result, chunk.monotonic_s)
            else:
                self._reception.count_telegram(chunk.monotonic_s)
                self._publish(result, chunk)

    @property
    def recent_bytes(self) -> bytes:
        """The last 8 to 16 KB that arrived, or what came from a port whose meter is not found yet."""
        return self._reception.recent_bytes or self.source.state.probe.data

    def day(self) -> ReceptionDay:
        """Telegrams of the last 24 hours."""
        return self._reception.day(boottime_s())

    def facts(self, now_s: float | None = None) -> Facts:
        """The facts at `now_s` (boot time)."""
        now_s = boottime_s() if now_s is None else now_s
        self._clock.update()
        pause_s = possible_pause_s(self._ahead_s)
        reception, meter, meter_id = self._reception, self._meter, self._meter.meter_id
        state, sample, lock = self.source.state, self._sample, self._meter.lock
        # with what the meter's other lists had: the list of its counters has no power
        sent = current_reading(sample) if sample else None
        return Facts(
            name=self._name,
            source=self.source.url,
            port=state.port,
            is_open=state.is_open,
            simulated=self.source.simulated,
            byte_count=reception.byte_count + state.probe.count,
            data_age_s=None if reception.data_at_s is None else now_s - reception.data_at_s + pause_s,
            telegrams=reception.telegrams,
            faults=dict(reception.faults),
            quarantined=self._guard.held_back.get(meter_id, 0) if meter_id else 0,
            meter_id=meter_id,
            age_s=None if sample is None else sample.age_s(now_s) + pause_s,
            stale_after_s=self._hub.stale_after_s(meter_id or ""),
            usual_interval_s=self._hub.usual_interval_s(meter_id or ""),
            locked=lock.locked,
            problem=state.problem,
            problem_details=state.details,
            stream_guess=reception.guess(now_s, state.probe),
            last_10s=reception.quality(now_s, ALIGN_S),
            last_5min=quality_of_probe(state.probe) if state.probe.count else reception.quality(now_s, CHECK_S),
            locked_at=lock.locked_at and lock.locked_at.astimezone(),
            unlocked_for_s=lock.unlocked_for_s,
            counter_violation=meter.violation,
            previous_meter_id=self._replaced(meter_id, state.port, meter.previous_meter_id) if meter_id else None,
            meter_changes=meter.changes(now_s),
            clock_problem=self._clock.doubt(),
            clock_time=datetime.fromtimestamp(self._clock.wall_s, UTC).astimezone(),
            rows_set_aside=self._set_aside(),
            missing_prices=self._missing_prices(),
            is_import_only=bool(sent and sent.get(IMPORT) and not sent.get(EXPORT)),
            phases_missing=phases_missing(sent) if sent else (),
            rejected_registers=meter.rejected_registers,
            ignored_telegrams=meter.ignored_telegrams,
            unreadable=dict(reception.unreadable),
            last_unreadable=reception.last_unreadable(now_s),
            sub_meters=tuple(meter.sub_meters(now_s)),
            has_key=self._has_key,
            has_auth_key=self._has_auth_key,
            protocol=self._protocol or state.protocol,
            line=str(state.line or ""),
            poll=state.poll,
            protection=sent.protection if sent else "checksum",
            has_unchecked_tag=sent is not None and sent.has_unchecked_tag,
            is_whole_kwh=sent is not None and counts_whole_kwh(sent, self._factor),
            has_power=sent is None or has_power(sent),
            role=self._role,
            production_counter=self._production_counter,
        )

    @property
    def _protocol(self) -> str:
        """As the decoder found it; that of a conversation by its readings."""
        return self._decoder.protocol or (self._sample.reading.protocol if self._sample else "")

    def _end_pause(self, before_s: float | None, now_s: float) -> None:
        """A telegram whose rest is late has ended, unless the rest was buffered while this process was paused."""
        is_pause = before_s is not None and now_s - before_s > PAUSE_S
        if is_pause and isinstance(self._decoder, Pausing) and self._pauses.waited_since_s(now_s) is None:
            for result in self._decoder.pause():
                if isinstance(result, Fault):
                    self._reception.count_fault(result, now_s)

    def _publish(self, sent: Reading, chunk: Chunk) -> None:
        state, now_s = self.source.state, chunk.monotonic_s
        self._carrier = None
        # some DLMS meters send a list of power alone between those that name them
        is_named = sent.meter_id != UNKNOWN.meter_id or any(map(is_counter, sent.registers))
        sent = at_port(sent, state.port)
        is_known = self._guard.knows(sent.meter_id)
        if not self._meter.confirm(sent.meter_id, now_s, state.port, is_known=is_known, is_named=is_named):
            return
        reading = apply_factor(self._meter.normalise(sent, now_s), self._factor)
        delay_s, is_dated = self._arrivals.delay_s(reading, now_s, self._pauses.paused_since_s(now_s))
        received_at = chunk.received_at - timedelta(seconds=delay_s)
        sample = Sample(
            reading,
            received_at,
            now_s - delay_s,
            self.source.simulated,
            state.port,
            is_dated=is_dated,
            factor=self._factor,
            waited_s=self._waited_s(now_s, delay_s),
        )
        self._meter.lock.observe(sample)
        if not self._arbiter.accepts(self, reading.meter_id, now_s):
            self._sample = sample
            return
        self._carrier = sample
        result = self._guard.admit(sample, self._max_power_w)
        self._meter.note_result(result, self._guard.left_out(sample.reading.meter_id))
        if isinstance(result, Sample):
            self._sample = self._hub.publish(
                result,
                self._age_limit_s(),
                self._counters_stale_after_s,
                is_production=self._role == "production",
            )

    def _waited_s(self, read_s: float, delay_s: float) -> float:
        """At most so long a telegram may have waited before it was read, beside the delay that its time has already."""
        since_s = self._pauses.waited_since_s(read_s)
        waited_s = 0.0 if since_s is None else max(read_s - delay_s - since_s, 0.0)
        # after a pause the delay is all of it, or the meter's seconds tell it
        return min(waited_s, ACCURACY_S) if self._pauses.paused_since_s(read_s) is not None else waited_s

    def _age_limit_s(self) -> float | None:
        """A meter that is polled is not stale before its next answer, nor if one poll fails."""
        interval_s = self.source.state.interval_s
        if interval_s is None:
            return self._stale_after_s
        return max(self._stale_after_s or STALE_AFTER_S, _POLLS * interval_s)

    def _publish_sub_meter(self, sent: Reading, now_s: float) -> None:
        """Its age is that of the telegram, which repeats its reading; `meter_time` is when it was read."""
        sent = at_port(sent, self.source.state.port)
        is_known = self._guard.knows(sent.meter_id)
        if self._carrier is None or not self._meter.confirm_sub_meter(sent, now_s, is_known=is_known):
            return
        sample = structs.replace(self._carrier, reading=self._meter.normalise(sent, now_s), factor=Decimal(1))
        result = self._guard.admit(sample, self._max_power_w)
        self._meter.note_result(result, self._guard.left_out(sample.reading.meter_id))
        if isinstance(result, Sample):
            self._hub.publish(result, self._age_limit_s())


def _parts(chunk: Chunk) -> Iterator[Chunk]:
    """A serial line brings less than a part at once, a connection may bring more."""
    if len(chunk.data) <= _MAX_PART or chunk.results is not None:
        yield chunk
        return
    for start in range(0, len(chunk.data), _MAX_PART):
        errors = None if start else chunk.errors
        yield structs.replace(chunk, data=chunk.data[start : start + _MAX_PART], errors=errors)
