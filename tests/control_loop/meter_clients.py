"""How batteries ask for the power at the meter: each a real client of one device, at a loopback address of its own."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from struct import unpack
from typing import Any, Protocol

import httpx
import websockets
from websockets.asyncio.client import ClientConnection, connect

# a key of an object, or a place in a list
Path = str | int


class MeterClient(Protocol):
    """`power_w` is the answer, None where there is none; it raises TimeoutError and OSError as they come."""

    async def power_w(self) -> float | None: ...


class HttpClient:
    """Keeps one connection. `path` and what leads to the number in its JSON."""

    def __init__(self, client: httpx.AsyncClient, path: str, *keys: Path) -> None:
        self._client, self._path, self._keys = client, path, keys

    async def power_w(self) -> float | None:
        answer = await self._client.get(self._path)
        return _number(answer.json(), *self._keys) if answer.status_code == 200 else None


class MetersClient:
    """The power register of the first meter in /api/v1/meters, as a script reads it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def power_w(self) -> float | None:
        meters = (await self._client.get("/api/v1/meters")).json()["meters"]
        registers = meters[0]["registers"] if meters else []
        return next((float(register["value"]) for register in registers if register["name"] == "power"), None)


class UdpClient(asyncio.DatagramProtocol):
    """JSON-RPC over UDP, as Marstek asks a Shelly."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._transport: asyncio.DatagramTransport
        self._answers: dict[int, asyncio.Future[Any]] = {}

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, _: object) -> None:
        answer = json.loads(data)
        if (waiting := self._answers.pop(answer["id"], None)) and not waiting.done():
            waiting.set_result(answer)

    def error_received(self, error: Exception) -> None:
        """The port is closed while the server restarts: no answer."""

    async def power_w(self) -> float | None:
        number = next(self._ids)
        self._answers[number] = waiting = asyncio.get_running_loop().create_future()
        self._transport.sendto(json.dumps({"id": number, "method": "EM.GetStatus", "params": {"id": 0}}).encode())
        try:
            return _number(await waiting, "result", "total_act_power")
        finally:
            self._answers.pop(number, None)


class ModbusClient:
    """A float of a Modbus device, as an inverter reads it: its request, and the order of its two words."""

    def __init__(self, port: int, address: str, request: bytes, *, low_word_first: bool) -> None:
        self._port, self._address = port, address
        self._request, self._low_word_first = request, low_word_first
        self._is_asking = False
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def power_w(self) -> float | None:
        try:
            return await self._ask()
        except EOFError:
            return None
        finally:
            if self._is_asking:
                # an answer that comes too late must not be taken for the next one
                self.close()

    def close(self) -> None:
        if self._connection:
            self._connection[1].close()
            self._connection = None

    async def _ask(self) -> float | None:
        self._is_asking = True
        if self._connection is None:
            self._connection = await asyncio.open_connection("127.0.0.1", self._port, local_addr=(self._address, 0))
        reader, writer = self._connection
        writer.write(self._request)
        (length,) = unpack(">4xH", await reader.readexactly(6))
        answer = await reader.readexactly(length)
        self._is_asking = False
        if answer[1] & 0x80:
            return None
        words = answer[3:]
        (power_w,) = unpack(">f", words[2:] + words[:2] if self._low_word_first else words)
        return float(power_w)


class WebSocketClient:
    """JSON-RPC over WebSocket, as Hoymiles asks a Shelly: the status and the counters."""

    def __init__(self, url: str, address: str) -> None:
        self._url, self._address = url, address
        self._ids = itertools.count(1)
        self._connection: ClientConnection | None = None

    async def power_w(self) -> float | None:
        try:
            if self._connection is None:
                self._connection = await connect(
                    self._url, local_addr=(self._address, 0), compression=None, ping_interval=None, proxy=None
                )
            status = await self._ask("EM.GetStatus")
            await self._ask("EMData.GetStatus")
            return _number(status, "result", "total_act_power")
        except websockets.WebSocketException:
            await self.close()
            return None

    async def close(self) -> None:
        if self._connection:
            await self._connection.close()
            self._connection = None

    async def _ask(self, method: str) -> Any:
        assert self._connection
        number = next(self._ids)
        await self._connection.send(json.dumps({"id": number, "src": "battery", "method": method, "params": {"id": 0}}))
        async for message in self._connection:
            answer = json.loads(message)
            # the device may also notify by itself
            if answer.get("id") == number:
                return answer
        return {}


def _number(answer: Any, *keys: Path) -> float | None:
    for key in keys:
        if isinstance(key, str) and not isinstance(answer, dict):
            return None
        answer = answer.get(key) if isinstance(key, str) else answer[key]
    return None if answer is None else float(answer)


@asynccontextmanager
async def http_client(url: str, address: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.AsyncHTTPTransport(local_address=address)
    async with httpx.AsyncClient(base_url=url, transport=transport, timeout=None) as client:
        yield client


@asynccontextmanager
async def meters_api(url: str, address: str) -> AsyncIterator[MeterClient]:
    async with http_client(url, address) as client:
        yield MetersClient(client)


@asynccontextmanager
async def http(url: str, address: str, path: str, *keys: Path) -> AsyncIterator[MeterClient]:
    async with http_client(url, address) as client:
        yield HttpClient(client, path, *keys)


@asynccontextmanager
async def modbus(port: int, address: str, request: bytes, *, low_word_first: bool) -> AsyncIterator[MeterClient]:
    client = ModbusClient(port, address, request, low_word_first=low_word_first)
    try:
        yield client
    finally:
        client.close()


@asynccontextmanager
async def shelly_websocket(url: str, address: str) -> AsyncIterator[MeterClient]:
    client = WebSocketClient(url, address)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def shelly_udp(port: int, address: str) -> AsyncIterator[MeterClient]:
    transport, client = await asyncio.get_running_loop().create_datagram_endpoint(
        UdpClient, local_addr=(address, 0), remote_addr=("127.0.0.1", port)
    )
    try:
        yield client
    finally:
        transport.close()
