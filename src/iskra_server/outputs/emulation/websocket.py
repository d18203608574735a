"""The server's side of a WebSocket (RFC 6455), on top of a connection whose first request was HTTP.

`websockets` does the protocol; its own server would need a port of its own.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Event, State
from websockets.server import ServerProtocol

MAX_MESSAGE = 16_384
_CHUNK = 4096
# a client that reads nothing more
SEND_S = 10.0
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class WebSocket:
    """Messages of text both ways. `client` is its IP address; `mark_idle` is called when it waits for a message."""

    def __init__(
        self,
        protocol: ServerProtocol,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        client: str,
        mark_idle: Callable[[], None],
    ) -> None:
        self.client = client
        self._mark_idle = mark_idle
        self._protocol = protocol
        self._reader = reader
        self._writer = writer
        self._message = bytearray()
        # one read may bring several messages
        self._events: deque[Event] = deque()
        # its side is closed: nothing can be written any more
        self._has_ended = False

    async def receive(self) -> bytes | None:
        """The next message; None when the client has gone. Call it from the task of the connection only."""
        self._mark_idle()
        while True:
            self._events.extend(self._protocol.events_received())
            while self._events:
                event = self._events.popleft()
                if not isinstance(event, Frame) or event.opcode not in _DATA:
                    continue
                self._message += event.data
                if event.fin:
                    message, self._message = bytes(self._message), bytearray()
                    await self.flush()
                    return message
            await self.flush()
            if self._protocol.state is not State.OPEN:
                return None
            data = await self._reader.read(_CHUNK)
            if not data:
                self._protocol.receive_eof()
                return None
            self._protocol.receive_data(data)

    async def send(self, text: bytes) -> None:
        """Raises OSError or TimeoutError where the client has gone or does not read."""
        if self._protocol.state is not State.OPEN:
            raise ConnectionResetError("the WebSocket is closed")
        self._protocol.send_text(text)
        await self.flush()

    async def flush(self) -> None:
        """Send what the protocol has to say, such as the answer to a ping."""
        for data in self._protocol.data_to_send():
            if self._has_ended:
                continue
            if data:
                self._writer.write(data)
            elif self._writer.can_write_eof():
                self._writer.write_eof()
                self._has_ended = True
        async with asyncio.timeout(SEND_S):
            await self._writer.drain()


async def accept(
    request: bytes,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    client: str,
    mark_idle: Callable[[], None],
) -> WebSocket | None:
    """Answer an upgrade; None where the request is none, and the client is told so. `request` has its bytes.

    Only from programs: a browser sends the origin of the page that asks, and any page of the internet may ask.
    """
    protocol = ServerProtocol(origins=[None], max_size=MAX_MESSAGE)
    socket = WebSocket(protocol, reader, writer, client, mark_idle)
    protocol.receive_data(request)
    upgrade = next((event for event in protocol.events_received() if isinstance(event, Request)), None)
    if upgrade is None:
        return None
    try:
        response = protocol.accept(upgrade)
    except InvalidHandshake as error:
        response = protocol.reject(400, str(error))
    protocol.send_response(response)
    await socket.flush()
    return socket if protocol.state is State.OPEN else None
