"""HTTP as small devices speak it: for each port one listener, whose devices answer their own paths and nothing else.

uvicorn writes the names of headers in lower case, and firmware may look for "Content-Length" as real devices write it;
so h11 reads and writes the messages here. Every answer has its length, none is chunked.

    open connections     MAX_CONNECTIONS; then one is closed (tcp_listener.py)
    a request            MAX_BYTES, complete within REQUEST_S
    between two          IDLE_S: some batteries keep their connection open
    unknown paths        as many answers a second to a client as of a device (clients.py)
    host names           those of the local network (base/hosts.py): another site's page cannot ask through a browser
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

import h11
from msgspec import Struct

from iskra_server.base.announcement import AnnouncedService
from iskra_server.base.clock import boottime_s
from iskra_server.base.hosts import Hosts
from iskra_server.outputs.emulation.clients import MAX_CLIENTS, Allowance
from iskra_server.outputs.emulation.device import EmulatedDevice
from iskra_server.outputs.emulation.tcp_listener import TcpListener
from iskra_server.outputs.emulation.websocket import WebSocket, accept

MAX_BYTES = 16_384
REQUEST_S = 10.0
# Jupiter asks every 13 s
IDLE_S = 120.0
_CHUNK = 4096
JSON_TYPE = ("Content-Type", "application/json")


class DeviceRequest(Struct, frozen=True):
    """`path` is without the query; names of `headers` are in lower case; `client` is an IP address."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    client: str

    @property
    def is_upgrade(self) -> bool:
        return self.headers.get("upgrade", "").lower() == "websocket"


class DeviceAnswer(Struct, frozen=True):
    """Headers are sent as written here, and then the length of the body."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (JSON_TYPE,)
    # the connection is closed behind it, as some devices do
    close: bool = False


class HttpDevice(EmulatedDevice):
    """A device with paths of its own."""

    def knows(self, path: str) -> bool:
        """Whether the path is one of this device."""
        raise NotImplementedError

    async def answer(self, request: DeviceRequest) -> DeviceAnswer:
        """To a request of a client that may ask, for a path of this device."""
        raise NotImplementedError

    async def serve_websocket(self, socket: WebSocket) -> None:
        """Until the WebSocket is closed. Only devices that say `has_websocket` for the path are asked."""

    def has_websocket(self, _path: str) -> bool:
        return False

    def services(self, _addresses: tuple[str, ...], _port: int) -> Iterable[AnnouncedService]:
        """What it announces in the network, with the addresses of one interface."""
        return ()


class HttpListener(TcpListener[HttpDevice]):
    """The devices of one port."""

    def __init__(self, host: str, port: int, devices: Sequence[HttpDevice]) -> None:
        super().__init__(host, port, devices, MAX_BYTES)
        self._hosts = Hosts()
        # of clients that ask for unknown paths; the one that has asked longest ago makes room
        self._allowances: OrderedDict[str, Allowance] = OrderedDict()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str) -> None:
        # a client that speaks something else
        with suppress(h11.ProtocolError):
            await self._serve(reader, writer, client)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_BYTES)
        while True:
            self.mark_idle()
            try:
                received = await _next_request(connection, reader, writer, client)
            except h11.RemoteProtocolError as error:
                await _send(connection, writer, DeviceAnswer(error.error_status_hint, close=True, headers=()))
                return
            if received is None:
                return
            request, raw = received
            self.mark_busy()
            device = next((device for device in self.devices if device.knows(request.path)), None)
            if refusal := self._refusal(request, device):
                await _send(connection, writer, refusal, has_body=request.method != "HEAD")
            elif device and request.is_upgrade and device.has_websocket(request.path):
                if socket := await accept(raw, reader, writer, client, self.mark_idle):
                    await device.serve_websocket(socket)
                return
            elif device:
                answer = await device.answer(request)
                await _send(connection, writer, answer, has_body=request.method != "HEAD")
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return
            connection.start_next_cycle()

    def _refusal(self, request: DeviceRequest, device: HttpDevice | None) -> DeviceAnswer | None:
        if not self._hosts.allows(request.headers.get("host", "")):
            return DeviceAnswer(421, close=True, headers=())
        if device is None:
            is_answered = self._allowance(request.client).take(boottime_s())
            return DeviceAnswer(404, headers=()) if is_answered else DeviceAnswer(429, close=True, headers=())
        if not device.clients.may_ask(request.client):
            return DeviceAnswer(403, close=True, headers=())
        return None

    def _allowance(self, client: str) -> Allowance:
        allowance = self._allowances.setdefault(client, Allowance())
        self._allowances.move_to_end(client)
        if len(self._allowances) > MAX_CLIENTS:
            self._allowances.popitem(last=False)
        return allowance


async def _next_request(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str
) -> tuple[DeviceRequest, bytes] | None:
    """The next request, and its bytes; None where the client has closed the connection."""
    head: h11.Request | None = None
    # a client may send requests without waiting for answers
    body, raw = bytearray(), bytearray(connection.trailing_data[0])
    async with asyncio.timeout(IDLE_S) as deadline:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                if connection.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[], reason=HTTPStatus.CONTINUE.phrase)
                    writer.write(connection.send(go_on) or b"")
                data = await reader.read(_CHUNK)
                if data and not raw:
                    deadline.reschedule(asyncio.get_running_loop().time() + REQUEST_S)
                raw += data
                connection.receive_data(data)
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BYTES:
                    raise h11.RemoteProtocolError("the body is too long", error_status_hint=413)
            elif isinstance(event, h11.EndOfMessage) and head:
                return _request(head, bytes(body), client), bytes(raw)
            else:
                return None


def _request(head: h11.Request, body: bytes, client: str) -> DeviceRequest:
    """Raises h11.RemoteProtocolError."""
    try:
        target = urlsplit(head.target.decode("latin-1"))
    except ValueError as error:
        raise h11.RemoteProtocolError(str(error)) from None
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    query = dict(parse_qsl(target.query, keep_blank_values=True))
    return DeviceRequest(head.method.decode("latin-1"), target.path, query, headers, body, client)


async def _send(
    connection: h11.Connection, writer: asyncio.StreamWriter, answer: DeviceAnswer, *, has_body: bool = True
) -> None:
    """Without a body, as to HEAD, its length is sent all the same."""
    if connection.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return
    headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
    if answer.close:
        headers.append(("Connection", "close"))
    with suppress(h11.LocalProtocolError):
        head = h11.Response(status_code=answer.status, headers=headers, reason=HTTPStatus(answer.status).phrase)
        data = connection.send(head) or b""
        if has_body:
            data += connection.send(h11.Data(data=answer.body)) or b""
        data += connection.send(h11.EndOfMessage()) or b""
        writer.write(data)
        async with asyncio.timeout(REQUEST_S):
            await writer.drain()
