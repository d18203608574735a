"""History while the server runs: the writer's thread, the recorder on the hub, the thinning of old points.

The server starts and stays useful without its database; what the guard and the ledger go on from is read once it opens.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from iskra_server.clock import Clock
from iskra_server.history.checkup import aside
from iskra_server.history.errors import StoreError
from iskra_server.history.recorder import Recorder, last_values, remembered
from iskra_server.history.records import LastCounter
from iskra_server.history.replacement import Replacements, replacements
from iskra_server.history.retention import thin
from iskra_server.history.store import Store
from iskra_server.history.writer import Writer, WriterState
from iskra_server.hub import Hub, Subscription
from iskra_server.meter.guard import Guard

log = logging.getLogger(__name__)

# a file opens within a tenth of a second; a database server that is away must not keep the meter from being read
OPEN_WITHIN_S = 3.0
THIN_EVERY_S = 3600.0
# who has said that a meter was replaced is asked no more
LOOK_EVERY_S = 60.0
# for what has arrived when the server stops, before the writer takes its three seconds
_LAST_SAMPLES_S = 0.5


class Archive:
    """`store` is None until the database could be opened; `state` says why it is not, or no longer written."""

    def __init__(
        self,
        open_store: Callable[[], Store],
        *,
        flush_s: float,
        raw_days: float,
        simulated: bool,
        thin_every_s: float = THIN_EVERY_S,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or Clock()
        self._writer = Writer(open_store, flush_s=flush_s)
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
        self.replacements = Replacements()
        # rows of a clock that was wrong
        self.set_aside = 0

    @property
    def store(self) -> Store | None:
        return self._writer.store

    @property
    def state(self) -> WriterState:
        return self._writer.state

    async def open(self) -> None:
        """Open the database, to answer questions alone until `record` runs."""
        self._writer.start()
        await asyncio.to_thread(self._writer.tried.wait, OPEN_WITHIN_S)

    async def begin(self, guard: Guard) -> None:
        """Open the database, and tell the guard what each meter showed last: now, or as soon as it opens."""
        self._guard = guard
        await self.open()
        if self.store is not None:
            try:
                self._learn(await asyncio.to_thread(last_values, self.store))
            except StoreError as error:
                log.warning("what the meters showed last is not known yet: %s", error)

    def _learn(self, known: list[LastCounter]) -> None:
        if self._guard:
            for sample in remembered(known):
                self._guard.remember(sample)

    async def record(self, hub: Hub) -> None:
        """Until it is cancelled; what has arrived is then written, for at most three seconds."""
        try:
            with hub.subscribe("history") as samples:
                recording = asyncio.create_task(self._keep_recording(samples), name="recording")
                try:
                    await asyncio.shield(recording)
                finally:
                    samples.end()
                    await asyncio.wait((recording,), timeout=_LAST_SAMPLES_S)
                    recording.cancel()
        finally:
            self._recorder.close()
            await asyncio.shield(asyncio.to_thread(self._writer.close))

    async def _keep_recording(self, samples: Subscription) -> None:
        """A sample that cannot be recorded takes neither history nor the server with it."""
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
                    self.replacements = replacements(known, time.time())
                    self.set_aside = sum(each.count for each in await asyncio.to_thread(aside, self.store))
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
