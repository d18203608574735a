"""Limits of each connection, so that slow, silent or endless clients do not slow down the others.

    open connections         MAX_CONNECTIONS; then the longest idle one is closed for a new one, or, where all are being
                             answered, one of the client that has most
    bytes of a request       MAX_BYTES of its head, and of its body: nothing here takes uploads. Else 414, 431 or 413
    until it is complete     WAITING_S, however many bytes arrive meanwhile
    an answer not read       STUCK_S without progress
    all answers not read     MAX_UNREAD bytes; then the client with most of them loses its longest answer
    a closed connection      WAITING_S until the client has read the rest

A sweep every two seconds checks all connections; a request itself costs no timer.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from iskra_server.web.http.problem import MEDIA_TYPE, problem
from iskra_server.web.http.share import address_of, heaviest
from iskra_server.web.http.uvicorn_adapter import HttpProtocol

# a household has a dozen; each costs about 10 kB, and a process may open 1024 files
MAX_CONNECTIONS = 256
MAX_BYTES = 16_384
WAITING_S = 10.0
STUCK_S = 30.0
# the longest answers have about 3 MB
MAX_UNREAD = 32 * 1024 * 1024
SWEEP_S = 2.0
# of a request that was refused: more is not waited for
_MAX_DISCARDED = 64 * MAX_BYTES
_HEAD_END = b"\r\n\r\n"


def _refusal(status: HTTPStatus, sentence: str) -> bytes:
    body = problem(status, sentence, reason="too_large").body
    head = f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"connection: close\r\n\r\n" + body


_TOO_LONG_ADDRESS = _refusal(
    HTTPStatus.REQUEST_URI_TOO_LONG, f"The address of a request has at most {MAX_BYTES:,} bytes here."
)
_TOO_LARGE_HEAD = _refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"Address and headers of a request have at most {MAX_BYTES:,} bytes here.",
)
_TOO_LARGE_BODY = _refusal(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A request has at most {MAX_BYTES:,} bytes here, with its body."
)


class Connection(HttpProtocol):
    """A connection within these limits."""

    _byte_count = 0
    _pauses = 0
    _is_refused = False
    # the state at the last sweep, at first when it was opened, and since when
    _state: object = None
    _since_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.address = address_of((transport.get_extra_info("peername") or ("",))[0])
        if len(self.connections) >= MAX_CONNECTIONS and not make_room(self.connections, self.address):
            transport.abort()
        super().connection_made(transport)
        self._state, self._since_s = self._progress()[0], time.monotonic()

    def data_received(self, data: bytes) -> None:
        self._byte_count += len(data)
        if self._is_refused:
            # a client that still sends would not see the answer if the connection were closed at once
            if self._byte_count > _MAX_DISCARDED:
                self.transport.abort()
            return
        if self._byte_count > MAX_BYTES:
            self._refuse(data)
            return
        before = self.request
        super().data_received(data)
        if self.request is not before:
            self._byte_count = 0

    def pause_writing(self) -> None:
        self._pauses += 1
        super().pause_writing()
        drop_unread(self.connections)

    @property
    def unread_bytes(self) -> int:
        """Bytes of answers that the client has not read."""
        return 0 if self.transport.is_closing() else self.transport.get_write_buffer_size()

    def unchanged_s(self, now_s: float) -> float:
        return now_s - self._since_s

    def sweep(self, now_s: float) -> None:
        """Close a connection that has made no progress for too long."""
        state, limit_s = self._progress()
        if limit_s is None or state != self._state:
            self._state, self._since_s = state, now_s
        elif now_s - self._since_s > limit_s:
            self.transport.abort()

    def _progress(self) -> tuple[Any, float | None]:
        """A state that is equal as long as nothing happens, and how long it may last."""
        if self._is_refused or self.transport.is_closing():
            return "closing", WAITING_S
        if self.is_idle:
            return ("idle", self.request), WAITING_S
        if self.is_write_paused:
            return ("stuck", self._pauses), STUCK_S
        return "answering", None

    def _refuse(self, data: bytes) -> None:
        """Say what is too large, unless an answer has begun."""
        if self.transport.is_closing():
            return
        if not self.is_idle and (self.has_answered or not self.awaits_body):
            self.transport.close()
            return
        if not (self.has_answered and self.awaits_body):
            self.transport.write(_TOO_LARGE_BODY if self.awaits_body else self._refusal_of_head(data))
        self._is_refused = True
        self.drop_request()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _refusal_of_head(self, data: bytes) -> bytes:
        """What the bytes that exceed the limit belong to: all of a small head may come with them."""
        before = self._byte_count - len(data)
        if _HEAD_END in data[: MAX_BYTES - before]:
            return _TOO_LARGE_BODY
        return _TOO_LARGE_HEAD if before or b"\n" in data[:MAX_BYTES] else _TOO_LONG_ADDRESS


def make_room(connections: Iterable[Any], newcomer: str) -> bool:
    """Close the longest idle connection, else one of the client that has most; False where that is the newcomer."""
    now_s = time.monotonic()
    open_connections = [connection for connection in connections if not connection.transport.is_closing()]
    candidates = [connection for connection in open_connections if connection.is_idle]
    if not candidates:
        client = heaviest((connection.address for connection in open_connections), newcomer)
        candidates = [connection for connection in open_connections if connection.address == client]
    if not candidates:
        return False
    max(candidates, key=lambda connection: connection.unchanged_s(now_s)).transport.abort()
    return True


def drop_unread(connections: Iterable[Any]) -> None:
    """Close the longest answers of the clients with most unread bytes, until all of them fit."""
    while sum(connection.unread_bytes for connection in connections) > MAX_UNREAD:
        bytes_by_client: Counter[str] = Counter()
        for connection in connections:
            bytes_by_client[connection.address] += connection.unread_bytes
        client = max(bytes_by_client, key=bytes_by_client.__getitem__)
        of_client = (connection for connection in connections if connection.address == client)
        max(of_client, key=lambda connection: connection.unread_bytes).transport.abort()


async def keep_sweeping(connections: Iterable[Any]) -> None:
    """Until cancelled; `connections` is the server's own set, which changes."""
    while True:
        await asyncio.sleep(SWEEP_S)
        now_s = time.monotonic()
        for connection in tuple(connections):
            connection.sweep(now_s)
