"""The product's own HTTP side in this process, over any ASGI application, and raw clients of it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from starlette.types import ASGIApp

from iskra_server.runtime.http_server import Http, listen
from running import DEADLINE_S, free_port


@asynccontextmanager
async def answering(app: ASGIApp, tls: ssl.SSLContext | None = None) -> AsyncIterator["Answering"]:
    """A server that is stopped as the product is; its clients are closed with it."""
    port = free_port()
    site = Answering(Http(app, listen("127.0.0.1", port), tls), port)
    async with asyncio.timeout(3 * DEADLINE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(site.http.run_until_stopped())
        await site.http.ready.wait()
        try:
            yield site
        finally:
            for each in site.clients:
                await each.close()
            site.http.stop()


class Answering:
    def __init__(self, http: Http, port: int) -> None:
        self.http, self.port = http, port
        self.clients: list[Client] = []

    @property
    def connections(self) -> int:
        """How many are open at the server's side."""
        return len(self.http.connections)

    async def client(self, address: str = "127.0.0.1") -> "Client":
        """One that asks from this address of this machine."""
        self.clients.append(Client(*await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))))
        return self.clients[-1]


class Client:
    """A raw connection: `send` bytes, `rest` is everything until the server closes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> bytes:
        """The head of the next answer."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def rest(self) -> bytes:
        async with asyncio.timeout(DEADLINE_S):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    @property
    def is_open(self) -> bool:
        return not self.reader.at_eof() and self.reader.exception() is None

    async def close(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


async def until(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Waits for a condition, not for ever."""
    async with asyncio.timeout(deadline_s):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)
