"""Delivers points in batches: hub -> memory -> database, or, while that is unavailable, hub -> memory -> spool on disk.

Nothing is written to the disk while the database accepts points. Spooled points are delivered first, retried after
about 1 s, 2 s ... 60 s. With a full disk points stay in memory; when that is full the oldest are dropped.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx

from iskra_server.base.backoff import Backoff
from iskra_server.base.language import NOTHING, Bilingual, after_each_other, in_both
from iskra_server.base.spool import Spool
from iskra_server.meter.reading import Sample
from iskra_server.outputs.influx.lines import line
from iskra_server.outputs.influx.target import PointsRefused, Target, Unavailable, write
from iskra_server.outputs.state import OutputState
from iskra_server.reading.hub import Hub

NAME = "influx"
BATCH_POINTS = 1_000
# about 2 MB: a day with a point every ten seconds
MEMORY_POINTS = 10_000
MAX_RETRY_S = 60.0
_DISK = (
    "{folder} cannot be used ({reason}); points wait in memory. Free disk space.",
    "{folder} ist nicht verwendbar ({reason}); Messpunkte warten im Speicher. Schaffen Sie Platz auf dem Datenträger.",
)

log = logging.getLogger(__name__)


class LineProtocol:
    """The output. `every_s`: seconds between two points of a meter, 0 for every telegram."""

    def __init__(
        self,
        *,
        hub: Hub,
        target: Target,
        spool: Spool,
        every_s: float,
        flush_s: float,
        first_retry_s: float = 1.0,
        max_retry_s: float = MAX_RETRY_S,
        memory_points: int = MEMORY_POINTS,
    ) -> None:
        self._hub = hub
        self._target = target
        self._spool = spool
        self._every_s = every_s
        self._flush_s = flush_s
        self._backoff = Backoff(first_retry_s, max_retry_s)
        self._memory_points = memory_points
        # meter -> the slot of its last point, see `_is_due`
        self._slots: dict[str, int] = {}
        self._pending: deque[bytes] = deque()
        # taken from `_pending`, not yet delivered or spooled
        self._in_progress = 0
        self._spooling = asyncio.Lock()
        self._retry_at_s = 0.0
        self._delivery_error = self._disk_error = NOTHING
        self._since: datetime | None = None
        self._delivered = self._refused = self._dropped = 0

    @property
    def state(self) -> OutputState:
        english, german = after_each_other(self._delivery_error, self._disk_error)
        return OutputState(
            NAME,
            ok=not english,
            sentence=english,
            sentence_de=german,
            since=self._since,
            delivered=self._delivered,
            waiting=len(self._pending) + self._in_progress + self._spool.waiting,
            waiting_bytes=self._spool.byte_count,
            refused=self._refused,
            dropped=self._dropped + self._spool.dropped,
        )

    async def run(self) -> None:
        """Until it is cancelled; pending points are then spooled."""
        try:
            await asyncio.to_thread(self._spool.open)
        except OSError as error:
            self._report_disk_error(error)
        try:
            async with httpx.AsyncClient() as client, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._collect(), name=f"{NAME}: collect")
                tasks.create_task(self._deliver(client), name=f"{NAME}: deliver")
        finally:
            await self._spool_pending()

    async def _collect(self) -> None:
        with self._hub.subscribe(NAME) as samples:
            async for sample in samples:
                if self._is_due(sample) and (point := line(sample)):
                    self._pending.append(point)
                    if len(self._pending) > self._memory_points:
                        self._pending.popleft()
                        self._dropped += 1

    def _is_due(self, sample: Sample) -> bool:
        """Whether this is the first telegram of its slot; a slot has `every_s` seconds."""
        if not self._every_s:
            return True
        slot = int(sample.received_at.timestamp() // self._every_s)
        before = self._slots.get(sample.reading.meter_id)
        self._slots[sample.reading.meter_id] = slot
        return slot != before

    async def _deliver(self, client: httpx.AsyncClient) -> None:
        while True:
            await asyncio.sleep(self._flush_s)
            if self._backoff.failures:
                await self._spool_pending()
            if time.monotonic() >= self._retry_at_s:
                await self._flush(client)

    async def _flush(self, client: httpx.AsyncClient) -> None:
        """Deliver all points, the oldest first."""
        try:
            while oldest := await asyncio.to_thread(self._spool.oldest):
                segment, lines = oldest
                await self._send(client, lines)
                await asyncio.to_thread(self._spool.remove, segment)
            while self._pending:
                with self._next_lines() as lines:
                    await self._send(client, lines)
        except Unavailable as error:
            self._failed(error.both)
            await self._spool_pending()
        except OSError as error:
            self._report_disk_error(error)
        else:
            self._succeeded()

    async def _send(self, client: httpx.AsyncClient, lines: Sequence[bytes]) -> None:
        """Deliver lines; refused ones are set aside after the others are delivered."""
        refused = await self._bisect(client, lines)
        self._delivered += len(lines) - len(refused)
        if refused:
            log.warning("%s refused %d points: %s", self._target.shown, len(refused), refused[0][1])
            await asyncio.to_thread(self._set_aside, [line for line, _ in refused], refused[0][1])
            self._refused += len(refused)

    def _set_aside(self, lines: Sequence[bytes], reason: str) -> None:
        """In a file for a person to look at. Without room on the disk they are dropped."""
        try:
            log.warning("They are set aside in %s.", self._spool.set_aside(lines, reason))
        except OSError as error:
            log.warning("They cannot be set aside in %s: %s", self._spool.folder, error.strerror or error)

    async def _bisect(self, client: httpx.AsyncClient, lines: Sequence[bytes]) -> list[tuple[bytes, str]]:
        """Deliver lines; return the refused ones with the reason. A database refuses a batch as a whole."""
        try:
            await write(client, self._target, b"".join(lines))
        except PointsRefused as error:
            if len(lines) == 1:
                return [(lines[0], str(error))]
            middle = len(lines) // 2
            return [*await self._bisect(client, lines[:middle]), *await self._bisect(client, lines[middle:])]
        return []

    async def _spool_pending(self) -> None:
        """The end of the server does not cancel this."""
        await asyncio.shield(asyncio.create_task(self._write_spool()))

    async def _write_spool(self) -> None:
        async with self._spooling:
            try:
                while self._pending:
                    with self._next_lines() as lines:
                        await asyncio.to_thread(self._spool.append, lines)
                    self._disk_error = NOTHING
            except OSError as error:
                self._report_disk_error(error)

    @contextmanager
    def _next_lines(self) -> Iterator[list[bytes]]:
        """A batch of the oldest pending lines. After an exception they are pending again."""
        lines = [self._pending.popleft() for _ in range(min(BATCH_POINTS, len(self._pending)))]
        self._in_progress = len(lines)
        try:
            yield lines
        except BaseException:
            self._pending.extendleft(reversed(lines))
            raise
        finally:
            self._in_progress = 0

    def _failed(self, sentence: Bilingual) -> None:
        if sentence != self._delivery_error:
            log.warning("%s Points are kept until they can be delivered.", sentence[0])
        self._delivery_error = sentence
        self._since = self._since or datetime.now(UTC)
        self._retry_at_s = time.monotonic() + self._backoff.next_s()

    def _succeeded(self) -> None:
        if self._backoff.failures:
            log.info("%s accepts points again.", self._target.shown)
        self._backoff.reset()
        self._retry_at_s = 0.0
        self._delivery_error = self._disk_error = NOTHING
        self._since = None

    def _report_disk_error(self, error: OSError) -> None:
        sentence = in_both(_DISK, folder=self._spool.folder, reason=error.strerror or error)
        if sentence != self._disk_error:
            log.warning("%s", sentence[0])
        self._disk_error = sentence
