"""A browser of multicast DNS, on the loopback of this machine or at another address."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from zeroconf import IPVersion, ServiceListener, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

# Sockets share port 5353, and of those at one address any gets an answer that is for another one: so each process has
# addresses of its own, and its browser another one than what is announced.
_NETWORK = f"127.{os.getpid() >> 14 & 0x7F}.{os.getpid() >> 6 & 0xFF}"
_FIRST = (os.getpid() & 0x3F) * 4
LOOPBACK, BROWSER, ANOTHER = (f"{_NETWORK}.{_FIRST + number}" for number in (1, 2, 3))


class Browser(ServiceListener):
    """The services of one type, such as "_http._tcp", that are announced now."""

    def __init__(self, zeroconf: AsyncZeroconf, type_: str) -> None:
        self._zeroconf = zeroconf
        self._type = f"{type_}.local."
        self.names: set[str] = set()
        self._browser = AsyncServiceBrowser(zeroconf.zeroconf, self._type, listener=self)

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.names.add(name)

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.names.add(name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.names.discard(name)

    async def at(self, port: int) -> AsyncServiceInfo | None:
        """The service at a port of ours; others of this machine are not looked at."""
        infos = [AsyncServiceInfo(self._type, name) for name in self.names]
        # at the same time: one that has gone is waited for
        answered = await asyncio.gather(*(info.async_request(self._zeroconf.zeroconf, 1000) for info in infos))
        found = zip(infos, answered, strict=True)
        return next((info for info, has_answered in found if has_answered and info.port == port), None)


@asynccontextmanager
async def browsing(type_: str, address: str = BROWSER) -> AsyncIterator[Browser]:
    zeroconf = AsyncZeroconf(interfaces=[address], ip_version=IPVersion.V4Only)
    try:
        yield Browser(zeroconf, type_)
    finally:
        await zeroconf.async_close()


async def until(condition: Callable[[], Awaitable[object]], deadline_s: float = 60.0) -> None:
    async with asyncio.timeout(deadline_s):
        while not await condition():  # noqa: ASYNC110 - the network tells nobody
            await asyncio.sleep(0.05)


def text_of(info: AsyncServiceInfo | None) -> dict[str, str | None]:
    return {} if info is None else info.decoded_properties
