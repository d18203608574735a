"""History while the server runs: connects the hub, the recorder and the writer; thins old points.

The server starts without its database; the guard and the ledger continue from what history holds once it is open. On a
reload a new archive takes over: it gets every sample from one moment on, and what the old one could not write.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from iskra_server.base.clock import Clock, boottime_s
from iskra_server.history.model.records import LastCounter
from iskra_server.history.model.replacement import Replacements, find_replacements
from iskra_server.history.recording.history_spool import HistorySpool
from iskra_server.history.recording.recorder import Recorder
from iskra_server.history.recording.resume import as_samples, last_values
from iskra_server.history.recording.retention import thin
from iskra_server.history.recording.writer import CLOSE_S, Writer
from iskra_server.history.recording.writer_state import WriterState, format_waiting
from iskra_server.history.store import StoreError
from iskra_server.history.store.checkup import list_set_aside
from iskra_server.history.store.store import Store
from iskra_server.meter.guard import Guard
from iskra_server.meter.reading import Sample
from iskra_server.reading.hub import Hub, Subscription

log = logging.getLogger(__name__)

# a file opens within 0.1 s; a database server that is away must not delay reading the meter
OPEN_WITHIN_S = 3.0
THIN_EVERY_S = 3600.0
CHECK_METERS_EVERY_S = 60.0
# samples that wait in memory are spooled this often: a kill loses no more
SPOOL_WAITING_EVERY_S = 300.0
# on a reload the old archive closes and the new one opens, while samples stay in the queue, which holds a minute
_OPEN_IN_QUEUE_S = 8.0
# limits within the three seconds of the end: to open the database, to record waiting samples, to write
_OPEN_AT_END_S = 1.5
_LAST_SAMPLES_S = 0.5
_WRITE_S = 1.0
_MIN_S = 0.2


class Archive:
    """`store` is None until the database was open once; `state` says what keeps it from being written.

    `places` are folders for the spool, `name` the database in messages. `only_reads`: no meter is read, so nothing is
    ever written.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        *,
        flush_s: float,
        raw_days: float,
        simulated: bool,
        thin_every_s: float = THIN_EVERY_S,
        places: Sequence[Path] = (),
        name: str = "The database",
        clock: Clock | None = None,
        only_reads: bool = False,
    ) -> None:
        self._clock = clock or Clock()
        self._writer = Writer(
            open_store,
            flush_s=flush_s,
            spool=HistorySpool(places),
            name=name,
            count_unsent=lambda: self._recorder.waiting_count,
            only_reads=only_reads,
        )
        self._guard: Guard | None = None
        self._recorder = Recorder(
            writer=self._writer,
            flush_s=flush_s,
            keep_points=raw_days > 0,
            simulated=simulated,
            on_resume=self._inform_guard,
            clock=self._clock,
        )
        self._raw_days = raw_days
        self._thin_every_s = thin_every_s
        self._simulated = simulated
        self._subscription = ExitStack()
        self._samples: Subscription | None = None
        self._predecessor: Archive | None = None
        self._has_successor = self._is_recording = self._is_started = False
        self._opened, self._closed = asyncio.Event(), asyncio.Event()
        self.replacements = Replacements()
        # rows set aside, because a wrong clock recorded them
        self.set_aside = 0

    @property
    def store(self) -> Store | None:
        return self._writer.store

    @property
    def state(self) -> WriterState:
        return self._writer.state

    def take_over(self, predecessor: "Archive | None", guard: Guard | None, hub: Hub) -> None:
        """Get samples from now on, and what the predecessor could not write as soon as it is closed."""
        self._guard = guard
        self._samples = self._subscription.enter_context(hub.subscribe("history"))
        if predecessor:
            predecessor.end()
            if predecessor._simulated is self._simulated:
                self._predecessor, predecessor._has_successor = predecessor, True

    def end(self) -> None:
        """Get no more samples; `record` then returns."""
        if self._samples:
            self._samples.end()
        if not self._is_recording:
            # `record` was never called: a second reload came at once
            self._subscription.close()

    async def open(self, guard: Guard | None = None) -> None:
        """Open the database, and give the guard the last values, now or once it is open.

        Without a guard nothing is recorded; the archive only answers queries.
        """
        self._guard = guard
        self._start_writer()
        by_s = time.monotonic() + OPEN_WITHIN_S
        await asyncio.to_thread(self._writer.tried.wait, OPEN_WITHIN_S)
        # a central server has many counters, and no guard
        if guard and (store := self.store) is not None:
            reading = asyncio.ensure_future(asyncio.to_thread(last_values, store))
            reading.add_done_callback(self._on_last_values)
            await asyncio.wait((reading,), timeout=by_s - time.monotonic())

    def _on_last_values(self, reading: "asyncio.Future[list[LastCounter]]") -> None:
        if reading.cancelled():
            return
        if error := reading.exception():
            log.warning("The last values of the meters cannot be read yet: %s", error)
        else:
            self._inform_guard(reading.result())

    def _start_writer(self) -> None:
        if not self._is_started:
            self._is_started = True
            self._writer.start()

    def _inform_guard(self, counters: list[LastCounter]) -> None:
        if self._guard:
            for sample in as_samples(counters):
                self._guard.remember(sample, self._boot_time_of(sample))

    def _boot_time_of(self, sample: Sample) -> float:
        """When a sample of an earlier process arrived; -inf while the clock cannot be trusted."""
        # at the start nobody has looked at the clock yet
        self._clock.update()
        age_s = (datetime.now(UTC) - sample.received_at).total_seconds()
        return boottime_s() - age_s if self._clock.doubt() is None and age_s >= 0 else -inf

    async def record(self, hub: Hub) -> None:
        """Until it is cancelled or has a successor; then takes up to three seconds to write or spool what it has."""
        self._is_recording = True
        try:
            with self._subscription:
                samples = self._samples or self._subscription.enter_context(hub.subscribe("history"))
                self._samples = samples
                async with asyncio.TaskGroup() as tasks:
                    recording = tasks.create_task(self._record_samples(samples), name="recording")
                    opening = tasks.create_task(self._open_and_spool(), name="opening")
                    try:
                        await asyncio.shield(recording)
                    finally:
                        samples.end()
                        self._opened.set()
                        await asyncio.wait((recording,), timeout=_LAST_SAMPLES_S)
                        recording.cancel()
                        opening.cancel()
        finally:
            await asyncio.shield(asyncio.create_task(self._close()))

    async def _open_and_spool(self) -> None:
        await self._inherit()
        self._start_writer()
        await asyncio.to_thread(self._writer.tried.wait, OPEN_WITHIN_S)
        self._opened.set()
        while True:
            await asyncio.sleep(SPOOL_WAITING_EVERY_S)
            self._recorder.spool_waiting()

    async def _inherit(self) -> None:
        """Wait until the predecessor is closed, and get what it could not write."""
        predecessor = self._predecessor
        if predecessor is None:
            return
        await (predecessor._closed.wait() if predecessor._is_recording else predecessor._close())
        # `_close` of this archive may have done it meanwhile
        if self._predecessor is None:
            return
        self._writer.enqueue_batch(predecessor._writer.unwritten())
        self._writer.spool.add_places(predecessor._writer.spool.used_places)
        self._predecessor = None

    async def _close(self) -> None:
        by_s = time.monotonic() + CLOSE_S
        try:
            await self._inherit()
            self._start_writer()
            if self._recorder.waiting_count:
                # the database may be opening just now
                await asyncio.to_thread(self._writer.tried.wait, min(_OPEN_AT_END_S, by_s - time.monotonic()))
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(_MIN_S, by_s - time.monotonic() - _WRITE_S)):
                        await self._recorder.record_waiting()
            self._recorder.close()
            state = await asyncio.to_thread(self._writer.close, max(_MIN_S, by_s - time.monotonic()))
            if not self._has_successor:
                self._log_unwritten(state)
        finally:
            self._closed.set()

    def _log_unwritten(self, state: WriterState) -> None:
        unwritten = self._writer.unwritten()
        telegrams = sum(block.count for block in unwritten.points) + len(unwritten.samples)
        if unwritten.ledger or telegrams:
            log.error(
                "History was not written: %d ledger records and %d telegrams are lost. %s",
                len(unwritten.ledger),
                telegrams,
                state.sentence or "The database did not answer in time.",
            )
        if places := self._writer.spool.used_places:
            log.warning(
                "History was not written: %s wait in %s; the next start writes them.",
                format_waiting(state),
                " and ".join(map(str, places)),
            )

    async def _record_samples(self, samples: Subscription) -> None:
        """An error in one sample stops neither history nor the server.

        While the database opens, samples stay in their queue: the recorder keeps only some of those that wait there.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_OPEN_IN_QUEUE_S):
                await self._opened.wait()
        while True:
            try:
                return await self._recorder.run(samples)
            except Exception:
                log.exception("A sample was not recorded.")

    async def watch_replacements(self) -> None:
        """Every minute: which meters may have been replaced, which were, and how many rows are set aside."""
        while True:
            if self.store is not None:
                try:
                    meters = await asyncio.to_thread(self.store.meters)
                    self.replacements = find_replacements(meters, time.time())
                    self.set_aside = sum(rows.count for rows in await asyncio.to_thread(list_set_aside, self.store))
                except StoreError as error:
                    log.debug("Replaced meters are checked again in a minute: %s", error)
            await asyncio.sleep(CHECK_METERS_EVERY_S)

    async def thin(self) -> None:
        """Every hour: delete points older than `raw_days`, but only by a clock that is settled."""
        while True:
            await asyncio.sleep(self._thin_every_s)
            self._clock.update()
            if self.store is not None and self._clock.is_settled:
                try:
                    await asyncio.to_thread(thin, self.store, time.time(), self._raw_days)
                except StoreError as error:
                    log.debug("Old points are deleted an hour later: %s", error)
