"""Hands points on in batches: hub -> memory -> the database; and while that does not take them -> the disk.

As long as all is well nothing is written to the disk. What could not be delivered waits in the spool and goes first,
again after 1 s, 2 s ... 60 s. A disk that takes nothing leaves points in memory, the oldest of which are dropped.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx

from iskra_server.base.spool import Spool
from iskra_server.meter.reading import Sample
from iskra_server.outputs.influx.lines import line
from iskra_server.outputs.influx.target import Refused, Target, Unavailable, write
from iskra_server.outputs.state import OutputState
from iskra_server.reading.hub import Hub

NAME = "influx"
BATCH_POINTS = 1_000
# some 2 MB: a day of a point every ten seconds
MEMORY_POINTS = 10_000
LAST_RETRY_S = 60.0

log = logging.getLogger(__name__)


class LineProtocol:
    """The output. `every_s` is the shortest time between two points of a meter, 0 for every telegram."""

    def __init__(
        self,
        *,
        hub: Hub,
        target: Target,
        spool: Spool,
        every_s: float,
        flush_s: float,
        first_retry_s: float = 1.0,
        last_retry_s: float = LAST_RETRY_S,
        memory_points: int = MEMORY_POINTS,
    ) -> None:
        self._hub = hub
        self._target = target
        self._spool = spool
        self._every_s = every_s
        self._flush_s = flush_s
        self._first_retry_s = first_retry_s
        self._last_retry_s = last_retry_s
        self._memory_points = memory_points
        self._slots: dict[str, int] = {}
        self._pending: deque[bytes] = deque()
        self._in_hand = 0
        self._keeping = asyncio.Lock()
        self._failures = 0
        self._retry_at_s = 0.0
        self._sentence = self._disk_sentence = ""
        self._since: datetime | None = None
        self._delivered = self._refused = self._dropped = 0

    @property
    def state(self) -> OutputState:
        return OutputState(
            NAME,
            ok=not (self._sentence or self._disk_sentence),
            sentence=" ".join(filter(None, (self._sentence, self._disk_sentence))),
            since=self._since,
            delivered=self._delivered,
            waiting=len(self._pending) + self._in_hand + self._spool.waiting,
            waiting_bytes=self._spool.byte_count,
            refused=self._refused,
            dropped=self._dropped + self._spool.dropped,
        )

    async def run(self) -> None:
        """Until it is cancelled; what is pending is then on the disk."""
        try:
            await asyncio.to_thread(self._spool.open)
        except OSError as error:
            self._disk(error)
        try:
            async with httpx.AsyncClient() as client, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._collect(), name=f"{NAME}: collect")
                tasks.create_task(self._deliver(client), name=f"{NAME}: deliver")
        finally:
            await self._keep()

    async def _collect(self) -> None:
        with self._hub.subscribe(NAME) as samples:
            async for sample in samples:
                if self._is_due(sample) and (point := line(sample)):
                    self._pending.append(point)
                    if len(self._pending) > self._memory_points:
                        self._pending.popleft()
                        self._dropped += 1

    def _is_due(self, sample: Sample) -> bool:
        """Time is cut into slots of `every_s`; the first telegram in each is taken."""
        if not self._every_s:
            return True
        slot = int(sample.received_at.timestamp() // self._every_s)
        before = self._slots.get(sample.reading.meter_id)
        self._slots[sample.reading.meter_id] = slot
        return slot != before

    async def _deliver(self, client: httpx.AsyncClient) -> None:
        while True:
            await asyncio.sleep(self._flush_s)
            if self._failures:
                await self._keep()
            if time.monotonic() >= self._retry_at_s:
                await self._flush(client)

    async def _flush(self, client: httpx.AsyncClient) -> None:
        """Everything that waits, the oldest first."""
        try:
            while found := await asyncio.to_thread(self._spool.oldest):
                segment, lines = found
                await self._send(client, lines)
                await asyncio.to_thread(self._spool.remove, segment)
            while self._pending:
                with self._taken(BATCH_POINTS) as lines:
                    await self._send(client, lines)
        except Unavailable as error:
            self._failed(str(error))
            await self._keep()
        except OSError as error:
            self._disk(error)
        else:
            self._succeeded()

    async def _send(self, client: httpx.AsyncClient, lines: Sequence[bytes]) -> None:
        """Deliver lines; those that are refused are set aside once the others are delivered."""
        refused = await self._bisect(client, lines)
        self._delivered += len(lines) - len(refused)
        if refused:
            log.warning("%s refused %d points for ever: %s", self._target.shown, len(refused), refused[0][1])
            await asyncio.to_thread(self._set_aside, [each for each, _ in refused], refused[0][1])
            self._refused += len(refused)

    def _set_aside(self, lines: Sequence[bytes], reason: str) -> None:
        """For a person to look at; they are in nobody's way where the disk has no room for them."""
        try:
            log.warning("They are set aside in %s.", self._spool.set_aside(lines, reason))
        except OSError as error:
            log.warning("They cannot be set aside in %s: %s", self._spool.folder, error.strerror or error)

    async def _bisect(self, client: httpx.AsyncClient, lines: Sequence[bytes]) -> list[tuple[bytes, str]]:
        """Deliver lines, and give those that are refused with the reason: a batch is refused as a whole for one."""
        try:
            await write(client, self._target, b"".join(lines))
        except Refused as error:
            if len(lines) == 1:
                return [(lines[0], str(error))]
            middle = len(lines) // 2
            return [*await self._bisect(client, lines[:middle]), *await self._bisect(client, lines[middle:])]
        return []

    async def _keep(self) -> None:
        """What is pending goes to the disk, where there is room; the end of the server does not cut that off."""
        await asyncio.shield(asyncio.create_task(self._kept()))

    async def _kept(self) -> None:
        async with self._keeping:
            try:
                while self._pending:
                    with self._taken(BATCH_POINTS) as lines:
                        await asyncio.to_thread(self._spool.append, lines)
                    self._disk_sentence = ""
            except OSError as error:
                self._disk(error)

    @contextmanager
    def _taken(self, count: int) -> Iterator[list[bytes]]:
        """The oldest pending lines; they are pending again where something goes wrong with them."""
        lines = [self._pending.popleft() for _ in range(min(count, len(self._pending)))]
        self._in_hand = len(lines)
        try:
            yield lines
        except BaseException:
            self._pending.extendleft(reversed(lines))
            raise
        finally:
            self._in_hand = 0

    def _failed(self, sentence: str) -> None:
        if sentence != self._sentence:
            log.warning("%s Points are kept until it takes them.", sentence)
        self._sentence = sentence
        self._since = self._since or datetime.now(UTC)
        self._retry_at_s = time.monotonic() + min(
            self._last_retry_s, self._first_retry_s * 2 ** min(self._failures, 10)
        )
        self._failures += 1

    def _succeeded(self) -> None:
        if self._failures:
            log.info("%s takes points again.", self._target.shown)
        self._failures, self._retry_at_s = 0, 0.0
        self._sentence = self._disk_sentence = ""
        self._since = None

    def _disk(self, error: OSError) -> None:
        sentence = f"{self._spool.folder} cannot be used ({error.strerror or error}); points wait in memory. Make room."
        if sentence != self._disk_sentence:
            log.warning("%s", sentence)
        self._disk_sentence = sentence
