"""What one connection may cost. A client that is slow, silent or endless is let go; those that ask are not held up.

    open connections        MOST, then the one that has waited longest for nothing makes room for the new one; where all
                            are being answered, one of the client that has most does
    a request's bytes      MOST_OCTETS, its body included, for there is nothing to send here
    until it is complete    WAITING_S, however often another byte drips in
    an answer not taken     STUCK_S without progress
    answers not taken       MOST_UNTAKEN bytes in all; above it the client that holds most of them loses its longest
    a closed connection     WAITING_S until the client has taken the rest

A sweep every two seconds looks at all of them; a request itself costs no timer and no clock.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp

from iskra_server.web.http.share import address_of, heaviest

# a household has a dozen; each costs some 10 kB, and a process may open 1024 files
MOST = 256
MAX_BYTES = 16_384
WAITING_S = 10.0
STUCK_S = 30.0
# the longest answers have some 3 MB
MAX_UNTAKEN = 32 * 1024 * 1024
SWEEP_S = 2.0
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\ncontent-length: 26\r\n"
    b"connection: close\r\n\r\nThe request is too large.\r\n"
)

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Protocol
else:
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Protocol
    except ImportError:
        # where there are no wheels of httptools
        from uvicorn.protocols.http.h11_impl import H11Protocol as _Protocol


class Connection(_Protocol):
    """uvicorn's protocol, within these limits."""

    _byte_count = 0
    _pauses = 0
    # what the last sweep found, and since when
    _found: object = None
    _since_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.address = address_of((transport.get_extra_info("peername") or ("",))[0])
        if len(self.connections) >= MOST and not make_room(self.connections, self.address):
            transport.abort()
        self._since_s = time.monotonic()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._byte_count += len(data)
        if self._byte_count > MAX_BYTES:
            self._refuse()
            return
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._byte_count = 0

    def pause_writing(self) -> None:
        self._pauses += 1
        super().pause_writing()
        drop_untaken(self.connections)

    def answers_with(self, app: ASGIApp) -> None:
        """From the next request on, those that wait behind a running one included."""
        self.app = app
        if waiting := getattr(self, "pipeline", None):
            self.pipeline = deque((cycle, self.app) for cycle, _ in waiting)

    @property
    def untaken(self) -> int:
        """How many bytes of answers its client has not taken yet."""
        return 0 if self.transport.is_closing() else self.transport.get_write_buffer_size()

    @property
    def waits(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def waited_s(self, now_s: float) -> float:
        return now_s - self._since_s

    def sweep(self, now_s: float) -> None:
        """End a connection that has made no progress for too long."""
        state, limit_s = self._state()
        if limit_s is None or state != self._found:
            self._found, self._since_s = state, now_s
        elif now_s - self._since_s > limit_s:
            self.transport.abort()

    def _state(self) -> tuple[Any, float | None]:
        """What does not change while nothing goes on, and how long that may last."""
        if self.transport.is_closing():
            return "closing", WAITING_S
        if self.waits:
            return ("waiting", self.cycle), WAITING_S
        if self.flow.write_paused:
            return ("stuck", self._pauses), STUCK_S
        return "answering", None

    def _refuse(self) -> None:
        if self.waits and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
        self.transport.close()


def make_room(connections: Iterable[Any], newcomer: str) -> bool:
    """End the connection that has waited longest, else one of the client that has most; False where it is its own."""
    now_s = time.monotonic()
    open_ = [each for each in connections if not each.transport.is_closing()]
    ended = [each for each in open_ if each.waits]
    if not ended:
        client = heaviest((each.address for each in open_), newcomer)
        ended = [each for each in open_ if each.address == client]
    if not ended:
        return False
    max(ended, key=lambda each: each.waited_s(now_s)).transport.abort()
    return True


def drop_untaken(connections: Iterable[Any]) -> None:
    """End the longest answers of those clients that leave most of them, until what waits has room in memory."""
    while sum(each.untaken for each in connections) > MAX_UNTAKEN:
        held: Counter[str] = Counter()
        for each in connections:
            held[each.address] += each.untaken
        client = max(held, key=held.__getitem__)
        longest = max((each for each in connections if each.address == client), key=lambda each: each.untaken)
        longest.transport.abort()


async def keep_sweeping(connections: Iterable[Any]) -> None:
    """Until it is cancelled; `connections` is the server's own set of them."""
    while True:
        await asyncio.sleep(SWEEP_S)
        now_s = time.monotonic()
        for connection in tuple(connections):
            connection.sweep(now_s)
