"""HTTP as small devices speak it, through real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from emulating import GridMeter, in_event_loop, running
from iskra_server.outputs.emulation import http_listener
from iskra_server.outputs.emulation.clients import Rules, networks
from iskra_server.outputs.emulation.http_listener import DeviceAnswer, DeviceRequest, HttpDevice, HttpListener
from iskra_server.outputs.emulation.websocket import MAX_MESSAGE, WebSocket
from running import free_port

LOOPBACK = "127.0.0.1"


class Echo(HttpDevice):
    """Answers with what it was asked."""

    def knows(self, path: str) -> bool:
        return path.startswith("/echo")

    async def answer(self, request: DeviceRequest) -> DeviceAnswer:
        body = f"{request.method} {request.path} {request.query} {request.client} ".encode() + request.body
        return DeviceAnswer(200, body, close="close" in request.query)

    def has_websocket(self, path: str) -> bool:
        return path == "/echo/socket"

    async def talk(self, socket: WebSocket) -> None:
        while (message := await socket.receive()) is not None:
            await socket.send(message.upper())


class Other(Echo):
    def knows(self, path: str) -> bool:
        return path == "/other"


@asynccontextmanager
async def listening(rules: Rules | None = None) -> AsyncIterator[int]:
    """The port of both devices."""
    meter, port = GridMeter(), free_port()
    devices = [Echo("echo", meter.clients(rules)), Other("other", meter.clients(rules))]
    async with running(HttpListener(LOOPBACK, port, devices).run()), asyncio.timeout(30):
        await devices[0].opened.wait()
        yield port


async def exchange(port: int, data: bytes, *parts: bytes) -> bytes:
    """All that is answered until the connection is closed, at the latest when nothing more is sent."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    for part in (data, *parts):
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


def get(path: str, *headers: str, host: str = "192.168.1.20") -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", f"Host: {host}", *headers, "", "")).encode()


@in_event_loop
async def test_an_answer_has_the_headers_of_a_small_device_and_no_others() -> None:
    async with listening() as port:
        assert await exchange(port, get("/echo?close")) == (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 39\r\nConnection: close\r\n\r\n"
            b"GET /echo {'close': ''} 127.0.0.1 "
        ).replace(b"39", b"34")


@in_event_loop
async def test_devices_of_one_port_answer_their_own_paths() -> None:
    async with listening() as port, httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}") as client:
        assert (await client.get("/echo/1?id=0")).text == "GET /echo/1 {'id': '0'} 127.0.0.1 "
        assert (await client.get("/other")).text.startswith("GET /other")
        assert (await client.post("/echo", content=b"power")).text.endswith("power")
        assert [(await client.get(path)).status_code for path in ("/", "/api/v1/status", "/healthz")] == [404] * 3


@in_event_loop
async def test_one_connection_carries_many_requests_also_sent_at_once() -> None:
    async with listening() as port:
        answers = await exchange(port, get("/echo/1") + get("/echo/2"), get("/echo/3", "Connection: close"))
        assert [answers.count(f"/echo/{number} ".encode()) for number in (1, 2, 3)] == [1, 1, 1]


@in_event_loop
async def test_a_request_may_come_byte_by_byte() -> None:
    request = get("/echo", "Content-Length: 5")
    async with listening() as port:
        answer = await exchange(port, *(bytes((byte,)) for byte in request + b"power"))
        assert answer.endswith(b" power")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (get("/echo", f"X: {'x' * 40_000}"), b"431"),
        (get("/echo", "Content-Length: 30000") + b"x" * 30_000, b"413"),
        (get("/echo", host="evil.example"), b"421"),
        (b"GET /echo HTTP/1.1\r\n\r\n", b"400"),
    ],
)
@in_event_loop
async def test_a_wrong_request_is_refused_and_the_connection_closed(request_bytes: bytes, status: bytes) -> None:
    async with listening() as port:
        assert (await exchange(port, request_bytes)).startswith(b"HTTP/1.1 " + status)


@in_event_loop
async def test_the_first_version_of_http_needs_no_host() -> None:
    async with listening() as port:
        assert (await exchange(port, b"GET /echo HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")


@in_event_loop
async def test_a_client_that_is_not_listed_gets_no_value() -> None:
    async with listening(Rules(networks("192.168.1.30"))) as port:
        assert (await exchange(port, get("/echo"))).startswith(b"HTTP/1.1 403")


@in_event_loop
async def test_two_hundred_clients_are_answered_at_once() -> None:
    async with listening() as port:
        opened = [await asyncio.open_connection(LOOPBACK, port) for _ in range(200)]
        # one address asks for all of them: as many as one client may ask within a second
        for _, writer in opened[:40]:
            writer.write(get("/echo"))
        for reader, _ in opened[:40]:
            assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
        for _, writer in opened:
            writer.close()


@in_event_loop
async def test_the_longest_idle_connection_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_listener, "MAX_CONNECTIONS", 3)
    async with listening() as port:
        opened = []
        for _ in range(4):
            opened.append(await asyncio.open_connection(LOOPBACK, port))
            # each is idle for another time
            await asyncio.sleep(0.01)
        assert await opened[0][0].read() == b""
        opened[-1][1].write(get("/echo"))
        assert await opened[-1][0].readline() == b"HTTP/1.1 200 OK\r\n"
        for _, writer in opened:
            writer.close()


@in_event_loop
async def test_a_request_that_is_never_complete_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_listener, "REQUEST_S", 0.05)
    async with listening() as port:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(b"GET /echo HTTP/1.1\r\n")
        assert await reader.read() == b""
        writer.close()


@in_event_loop
async def test_a_websocket_carries_messages_both_ways_and_answers_a_ping() -> None:
    async with listening() as port, connect(f"ws://{LOOPBACK}:{port}/echo/socket") as socket:
        await socket.send("power")
        assert await socket.recv() == "POWER"
        await (await socket.ping())
        # in fragments
        await socket.send(["po", "we", "r"])
        assert await socket.recv() == "POWER"


@in_event_loop
async def test_a_websocket_with_too_long_a_message_is_closed() -> None:
    async with listening() as port, connect(f"ws://{LOOPBACK}:{port}/echo/socket") as socket:
        await socket.send("x" * (MAX_MESSAGE + 1))
        await socket.wait_closed()
        assert socket.close_code == 1009


@in_event_loop
async def test_only_the_path_of_the_websocket_is_upgraded() -> None:
    async with listening() as port:
        with pytest.raises(InvalidStatus):
            await connect(f"ws://{LOOPBACK}:{port}/echo")
        refused = await exchange(port, get("/echo/socket", "Upgrade: websocket", "Connection: Upgrade"))
        assert refused.startswith(b"HTTP/1.1 400")
