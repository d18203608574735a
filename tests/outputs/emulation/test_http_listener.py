"""HTTP as small devices speak it, through real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from emulating import GridMeter, in_event_loop, running
from iskra_server.outputs.emulation import http_listener, tcp_listener
from iskra_server.outputs.emulation.clients import MAX_PER_S, Rules, networks
from iskra_server.outputs.emulation.http_listener import DeviceAnswer, DeviceRequest, HttpDevice, HttpListener
from iskra_server.outputs.emulation.websocket import MAX_MESSAGE, WebSocket
from running import free_port

LOOPBACK = "127.0.0.1"
ADDRESSES = cycle(range(1, 255))


class Echo(HttpDevice):
    """Answers with what it was asked."""

    def knows(self, path: str) -> bool:
        return path.startswith("/echo")

    async def answer(self, request: DeviceRequest) -> DeviceAnswer:
        body = f"{request.method} {request.path} {request.query} {request.client} ".encode() + request.body
        return DeviceAnswer(200, body, close="close" in request.query)

    def has_websocket(self, path: str) -> bool:
        return path == "/echo/socket"

    async def serve_websocket(self, socket: WebSocket) -> None:
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
    async with running(HttpListener(LOOPBACK, port, devices).run()), asyncio.timeout(60):
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
    async with (
        listening() as port,
        httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", timeout=60, verify=False) as client,
    ):
        assert (await client.get("/echo/1?id=0")).text == "GET /echo/1 {'id': '0'} 127.0.0.1 "
        assert (await client.get("/other")).text.startswith("GET /other")
        assert (await client.post("/echo", content=b"power")).text.endswith("power")
        assert [(await client.get(path)).status_code for path in ("/", "/api/v1/status", "/healthz")] == [404] * 3


@in_event_loop
async def test_unknown_paths_are_answered_as_often_as_those_of_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1000.0
    monkeypatch.setattr(http_listener, "boottime_s", lambda: now_s)
    async with listening() as port:
        answers = await exchange(port, get("/x") * (MAX_PER_S + 2))
        # the connection ends with the first refusal
        assert (answers.count(b"404 Not Found"), answers.count(b"429 Too Many Requests")) == (MAX_PER_S, 1)
        assert b"429" in await exchange(port, get("/x"))
        # the device itself is asked by others, and by this client
        assert b"/echo" in await exchange(port, get("/echo"))
        now_s += 0.1
        answers = await exchange(port, get("/x") * 10)
        assert answers.count(b"404 Not Found") == MAX_PER_S // 10


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


@in_event_loop
async def test_a_client_that_waits_for_leave_to_send_its_body_gets_it() -> None:
    async with listening() as port:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(get("/echo?close", "Content-Length: 5", "Expect: 100-continue"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"power")
        assert (await reader.read()).endswith(b" power")
        writer.close()


@in_event_loop
async def test_a_websocket_that_says_nothing_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_listener, "MAX_CONNECTIONS", 2)
    async with (
        listening() as port,
        connect(f"ws://{LOOPBACK}:{port}/echo/socket") as silent,
        connect(f"ws://{LOOPBACK}:{port}/echo/socket") as talking,
    ):
        await talking.send("power")
        assert await talking.recv() == "POWER"
        assert (await exchange(port, get("/echo?close"))).startswith(b"HTTP/1.1 200 OK")
        await silent.wait_closed()
        await talking.send("again")
        assert await talking.recv() == "AGAIN"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (get("/echo", f"X: {'x' * 40_000}"), b"431"),
        (get("/echo", "Content-Length: 30000") + b"x" * 30_000, b"413"),
        (get("/echo", host="evil.example"), b"421"),
        (b"GET /echo HTTP/1.1\r\n\r\n", b"400"),
        # no URL
        (get("//[/echo"), b"400"),
    ],
)
@in_event_loop
async def test_a_wrong_request_is_refused_and_the_connection_closed(request_bytes: bytes, status: bytes) -> None:
    async with listening() as port:
        assert (await exchange(port, request_bytes)).startswith(b"HTTP/1.1 " + status)


@in_event_loop
async def test_the_first_version_of_http_needs_no_host_and_ends_with_the_answer() -> None:
    async with listening() as port:
        for keep in (b"", b"Connection: keep-alive\r\n"):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            writer.write(b"GET /echo HTTP/1.0\r\n" + keep + b"\r\n")
            assert await reader.read() == (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 23\r\n"
                b"Connection: close\r\n\r\nGET /echo {} 127.0.0.1 "
            )
            writer.close()


@in_event_loop
async def test_head_has_the_headers_of_the_answer_and_no_body() -> None:
    async with listening() as port:
        head = get("/echo").replace(b"GET", b"HEAD")
        assert await exchange(port, head + get("/echo/2")) == (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n"
            b"GET /echo/2 {} 127.0.0.1 "
        )


@in_event_loop
async def test_a_client_that_is_not_listed_gets_no_value() -> None:
    async with listening(Rules(networks("192.168.1.30"))) as port:
        assert (await exchange(port, get("/echo"))).startswith(b"HTTP/1.1 403")


@in_event_loop
async def test_two_hundred_clients_are_answered_at_once_beside_slow_ones() -> None:
    async with listening() as port:
        # they send half a request, and read nothing of many answers
        silent, deaf = await connections(port, 20), await connections(port, 5)
        for _, writer in silent:
            writer.write(b"GET /echo HTTP/1.1\r\nHost")
        for _, writer in deaf:
            writer.write(get(f"/echo?{'x' * 4000}") * 40)
        opened = await connections(port, 200)
        for _, writer in opened:
            writer.write(get("/echo"))
        for reader, _ in opened:
            assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
        for _, writer in (*silent, *deaf, *opened):
            writer.transport.abort()


async def connections(port: int, count: int) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Each from an address of its own."""
    addresses = [f"127.0.{next(ADDRESSES)}.1" for _ in range(count)]
    return [await asyncio.open_connection(LOOPBACK, port, local_addr=(address, 0)) for address in addresses]


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
async def test_a_websocket_loses_no_message_of_several_that_come_at_once() -> None:
    async with listening() as port, connect(f"ws://{LOOPBACK}:{port}/echo/socket") as socket:
        for number in range(5):
            await socket.send(f"power {number}")
        assert [await socket.recv() for _ in range(5)] == [f"POWER {number}" for number in range(5)]


@in_event_loop
async def test_a_silent_websocket_makes_room_and_one_that_asks_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A battery that has left the Wi-Fi never closes its own."""
    monkeypatch.setattr(tcp_listener, "MAX_CONNECTIONS", 2)
    async with listening() as port:
        asking, silent = [await connect(f"ws://{LOOPBACK}:{port}/echo/socket") for _ in range(2)]
        await asking.send("power")
        assert await asking.recv() == "POWER"
        async with connect(f"ws://{LOOPBACK}:{port}/echo/socket"):
            await silent.wait_closed()
            await asking.send("again")
            assert await asking.recv() == "AGAIN"
        await asking.close()


@in_event_loop
async def test_a_page_of_the_internet_cannot_open_a_websocket() -> None:
    async with listening() as port:
        with pytest.raises(InvalidStatus, match="403"):
            await connect(f"ws://{LOOPBACK}:{port}/echo/socket", origin=Origin("https://evil.example"))


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
