"""History while the server runs: the writer's thread, the recorder on the hub, the thinning of old points.

The server starts and stays useful without its database; what the guard and the ledger go on from is read once it opens.
On a reload one archive follows another: samples come to the new one from a single moment on, and what the old one
could not write is written by the new one.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from iskra_server.base.clock import Clock
from iskra_server.history.model.records import LastCounter
from iskra_server.history.model.replacement import Replacements, find_replacements
from iskra_server.history.recording.recorder import Recorder, last_values, remembered
from iskra_server.history.recording.retention import thin
from iskra_server.history.recording.spool import HistorySpool
from iskra_server.history.recording.writer import CLOSE_S, Writer, WriterState, waiting_of
from iskra_server.history.store import StoreError
from iskra_server.history.store.checkup import list_set_aside
from iskra_server.history.store.store import Store
from iskra_server.meter.guard import Guard
from iskra_server.reading.hub import Hub, Subscription

log = logging.getLogger(__name__)

# a file opens within a tenth of a second; a database server that is away must not keep the meter from being read
OPEN_WITHIN_S = 3.0
THIN_EVERY_S = 3600.0
# who has said that a meter was replaced is asked no more
LOOK_EVERY_S = 60.0
# what waits for history to be opened goes to the disk so often: a kill loses no more
HAND_OVER_EVERY_S = 300.0
_OPEN_AT_END_S = 1.5
# at a reload: the one before ends, the next one opens; the queue of a meter holds a minute
_OPEN_IN_QUEUE_S = 8.0
# what the writer has at least, unless the one before has taken all of the time
_WRITE_S = 1.0
_MIN_S = 0.2
# for what has arrived when the server stops, before the writer takes its three seconds
_LAST_SAMPLES_S = 0.5


class Archive:
    """`store` is None until the database could be opened; `state` says why it is not, or no longer written.

    `places` are the folders for what cannot be written, `name` the database as it may be shown.
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
    ) -> None:
        self._clock = clock or Clock()
        self._writer = Writer(
            open_store,
            flush_s=flush_s,
            spool=HistorySpool(places),
            name=name,
            samples_elsewhere=lambda: self._recorder.waiting_count,
        )
        self._guard: Guard | None = None
        self._recorder = Recorder(
            writer=self._writer,
            flush_s=flush_s,
            keep_points=raw_days > 0,
            simulated=simulated,
            learn=self._learn,
            clock=self._clock,
        )
        self._raw_days = raw_days
        self._thin_every_s = thin_every_s
        self._simulated = simulated
        self._subscription = ExitStack()
        self._samples: Subscription | None = None
        self._before: Archive | None = None
        self._is_followed = self._is_recording = False
        self._has_begun = False
        self._opened, self._ended = asyncio.Event(), asyncio.Event()
        self.replacements = Replacements()
        # rows of a clock that was wrong
        self.set_aside = 0

    @property
    def store(self) -> Store | None:
        return self._writer.store

    @property
    def state(self) -> WriterState:
        return self._writer.state

    def follow(self, before: "Archive | None", guard: Guard | None, hub: Hub) -> None:
        """From now on samples come here; what the one before could not write is written once that one has ended."""
        self._guard = guard
        self._samples = self._subscription.enter_context(hub.subscribe("history"))
        if before:
            before.end()
            if before._simulated is self._simulated:
                self._before, before._is_followed = before, True

    def end(self) -> None:
        """No sample comes any more; `record` then ends."""
        if self._samples:
            self._samples.end()
        if not self._is_recording:
            # it was ended before it began: a reload that follows another at once
            self._subscription.close()

    async def begin(self, guard: Guard | None = None) -> None:
        """Open the database, and tell the guard what each meter showed last: now, or as soon as it opens.

        Without a guard nothing is recorded, and questions alone are answered.
        """
        self._guard = guard
        self._begin()
        by_s = time.monotonic() + OPEN_WITHIN_S
        await asyncio.to_thread(self._writer.tried.wait, OPEN_WITHIN_S)
        if (store := self.store) is not None:
            asking = asyncio.ensure_future(asyncio.to_thread(last_values, store))
            asking.add_done_callback(self._learned)
            await asyncio.wait((asking,), timeout=by_s - time.monotonic())

    def _learned(self, asked: "asyncio.Future[list[LastCounter]]") -> None:
        """Now, or when it is too late for the first telegram."""
        if asked.cancelled():
            return
        if error := asked.exception():
            log.warning("what the meters showed last is not known yet: %s", error)
        else:
            self._learn(asked.result())

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._writer.start()

    def _learn(self, known: list[LastCounter]) -> None:
        if self._guard:
            for sample in remembered(known):
                self._guard.remember(sample)

    async def record(self, hub: Hub) -> None:
        """Until it is cancelled or followed; what has arrived is then written, for at most three seconds, or kept."""
        self._is_recording = True
        try:
            with self._subscription:
                samples = self._samples or self._subscription.enter_context(hub.subscribe("history"))
                self._samples = samples
                async with asyncio.TaskGroup() as tasks:
                    recording = tasks.create_task(self._keep_recording(samples), name="recording")
                    opening = tasks.create_task(self._open(), name="opening")
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

    async def _open(self) -> None:
        """After the one before has ended; then hand over what waits from time to time."""
        await self._inherit()
        self._begin()
        await asyncio.to_thread(self._writer.tried.wait, OPEN_WITHIN_S)
        self._opened.set()
        while True:
            await asyncio.sleep(HAND_OVER_EVERY_S)
            self._recorder.hand_over_waiting()

    async def _inherit(self) -> None:
        """What the one before could not write, once it has ended."""
        before = self._before
        if before is None:
            return
        await (before._ended.wait() if before._is_recording else before._close())
        if self._before is None:
            return
        self._writer.inherit(before._writer.rest())
        self._writer.spool.add(before._writer.spool.used)
        self._before = None

    async def _close(self) -> None:
        by_s = time.monotonic() + CLOSE_S
        try:
            await self._inherit()
            self._begin()
            if self._recorder.waiting_count:
                # what waits for the database to be opened can be written if that is just happening
                await asyncio.to_thread(self._writer.tried.wait, min(_OPEN_AT_END_S, by_s - time.monotonic()))
                # what is not recorded by then waits on
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(_MIN_S, by_s - time.monotonic() - _WRITE_S)):
                        await self._recorder.record_waiting()
            self._recorder.close()
            state = await asyncio.to_thread(self._writer.close, max(_MIN_S, by_s - time.monotonic()))
            if not self._is_followed:
                self._say_what_waits(state)
        finally:
            self._ended.set()

    def _say_what_waits(self, state: WriterState) -> None:
        rest = self._writer.rest()
        telegrams = sum(block.count for block in rest.points) + len(rest.samples)
        if rest.ledger or telegrams:
            log.error(
                "History was not written: %d ledger records and %d telegrams are lost. %s",
                len(rest.ledger),
                telegrams,
                state.sentence or "The database did not answer in time.",
            )
        if places := self._writer.spool.used:
            log.warning(
                "History was not written: %s wait in %s and are written by the next start.",
                waiting_of(state),
                " and ".join(map(str, places)),
            )

    async def _keep_recording(self, samples: Subscription) -> None:
        """A sample that cannot be recorded takes neither history nor the server with it.

        While a database is being opened samples stay in their queue: of those that wait longer not all are kept.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_OPEN_IN_QUEUE_S):
                await self._opened.wait()
        while True:
            try:
                return await self._recorder.run(samples)
            except Exception:
                log.exception("a sample was not recorded")

    async def watch_replacements(self) -> None:
        """Every minute, look which meters may have been replaced, which have been, and what is set aside."""
        while True:
            if self.store is not None:
                try:
                    known = await asyncio.to_thread(self.store.meters)
                    self.replacements = find_replacements(known, time.time())
                    self.set_aside = sum(each.count for each in await asyncio.to_thread(list_set_aside, self.store))
                except StoreError as error:
                    log.debug("which meters were replaced is looked at in a minute: %s", error)
            await asyncio.sleep(LOOK_EVERY_S)

    async def thin(self) -> None:
        """Every hour, delete points that are older than they shall become; never by a clock in doubt."""
        while True:
            await asyncio.sleep(self._thin_every_s)
            self._clock.look()
            if self.store is not None and self._clock.is_settled:
                try:
                    await asyncio.to_thread(thin, self.store, time.time(), self._raw_days)
                except StoreError as error:
                    log.debug("old points stay for another hour: %s", error)
