"""The announcement, heard by a second instance on the loopback of this machine."""

import asyncio
import gc
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from zeroconf import IPVersion, ServiceListener, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from iskra_server.outputs.mdns import SERVICES, Announcement, addresses_of
from running import free_port, serving

LOOPBACK = "127.0.0.1"


class Heard(ServiceListener):
    """The services of one kind that are there now."""

    def __init__(self, zeroconf: AsyncZeroconf, kind: str) -> None:
        self._zeroconf = zeroconf
        self._kind = kind
        self.names: set[str] = set()
        self._browser = AsyncServiceBrowser(zeroconf.zeroconf, kind, listener=self)

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.names.add(name)

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.names.add(name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.names.discard(name)

    async def at(self, port: int) -> AsyncServiceInfo | None:
        """The service at a port of ours; others of this machine are not looked at."""
        for name in set(self.names):
            info = AsyncServiceInfo(self._kind, name)
            if await info.async_request(self._zeroconf.zeroconf, 1000) and info.port == port:
                return info
        return None


@asynccontextmanager
async def listening(kind: str) -> AsyncIterator[Heard]:
    zeroconf = AsyncZeroconf(interfaces=[LOOPBACK], ip_version=IPVersion.V4Only)
    try:
        yield Heard(zeroconf, kind)
    finally:
        await zeroconf.async_close()


@asynccontextmanager
async def announced(port: int, meters: list[str]) -> AsyncIterator[Announcement]:
    made = Announcement(
        host=LOOPBACK, port=port, properties={"version": "1.2.3", "id": "ab"}, meters=lambda: meters, look_every_s=0.1
    )
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], Awaitable[object]], deadline_s: float = 20.0) -> None:
    async with asyncio.timeout(deadline_s):
        while not await condition():  # noqa: ASYNC110 - the network tells nobody
            await asyncio.sleep(0.05)


def text(info: AsyncServiceInfo | None) -> dict[str, str | None]:
    return {} if info is None else info.decoded_properties


@pytest.mark.parametrize("kind", SERVICES)
def test_a_browser_finds_the_server_its_meters_and_its_version(kind: str) -> None:
    async def run() -> None:
        port = free_port()
        async with listening(kind) as heard, announced(port, ["1 ISK 00 12345678"]):
            await until(lambda: heard.at(port))
            info = await heard.at(port)
            # another server of this machine tells of its other addresses
            assert info and LOOPBACK in info.parsed_addresses()
            # with its id: another machine of this name has other addresses
            assert info.server and info.server.endswith("-ab.local.")
            assert text(info) == {"path": "/", "version": "1.2.3", "id": "ab", "meters": "1 ISK 00 12345678"}

    asyncio.run(run())


def test_a_meter_that_appears_later_is_announced_later() -> None:
    async def run() -> None:
        port = free_port()
        meters: list[str] = []
        async with listening(SERVICES[1]) as heard, announced(port, meters):
            await until(lambda: heard.at(port))
            assert text(await heard.at(port))["meters"] == ""
            meters += ["a", "b"]

            async def both() -> bool:
                return text(await heard.at(port)).get("meters") == "a,b"

            await until(both)

    asyncio.run(run())


def test_with_another_machine_of_its_name_it_has_a_name_of_its_own_and_keeps_it() -> None:
    async def run() -> None:
        port, kind, meters = free_port(), SERVICES[1], list[str]()
        async with listening(kind) as heard, AsyncZeroconf(interfaces=[LOOPBACK], ip_version=IPVersion.V4Only) as other:
            host = socket.gethostname().partition(".")[0][:40]
            taken = AsyncServiceInfo(kind, f"ISKRA on {host} {port}.{kind}", port=1, parsed_addresses=[LOOPBACK])
            await (await other.async_register_service(taken))
            async with announced(port, meters):
                await until(lambda: heard.at(port))
                meters.append("a")

                async def is_told() -> bool:
                    info = await heard.at(port)
                    return info is not None and info.name != taken.name and text(info).get("meters") == "a"

                await until(is_told)
                assert await heard.at(1)

    asyncio.run(run())


def test_goodbye_is_heard_promptly() -> None:
    async def run() -> None:
        port = free_port()
        async with listening(SERVICES[1]) as heard:
            async with announced(port, []):
                await until(lambda: heard.at(port))
                mine = {name for name in heard.names if str(port) in name}
                leaving_s = time.monotonic()
            assert time.monotonic() - leaving_s < 3

            async def gone() -> bool:
                return not mine & heard.names

            await until(gone, 5)

    asyncio.run(run())


# the library leaves a socket to the garbage collector when it cannot have another one
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_keeps_it_from_being_announced_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        # no address of this machine
        made = Announcement(host="192.0.2.1", port=1, properties={}, meters=list, look_every_s=0.01)
        task = asyncio.create_task(made.run())
        async with asyncio.timeout(20):
            while "cannot be announced" not in caplog.text:  # noqa: ASYNC110 - a log tells nobody
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert not task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    caplog.set_level("INFO")
    asyncio.run(run())
    levels = [record.levelname for record in caplog.records if "announced" in record.message]
    assert levels == ["INFO"]
    caplog.clear()
    gc.collect()


def test_it_is_announced_where_it_listens() -> None:
    assert addresses_of("192.168.1.20") == ("192.168.1.20",)
    assert addresses_of("::1") == addresses_of("pi.local") == ()
    everywhere = addresses_of("0.0.0.0")
    assert LOOPBACK not in everywhere
    assert addresses_of("::") == everywhere


def test_many_meters_are_as_many_as_a_text_record_holds() -> None:
    async def run() -> None:
        port = free_port()
        meters = [f"1 ISK 00 {number:08d}" for number in range(100)]
        async with listening(SERVICES[1]) as heard, announced(port, meters):
            await until(lambda: heard.at(port))
            told = text(await heard.at(port))["meters"]
            assert told and told.split(",") == meters[:13]

    asyncio.run(run())


@pytest.mark.slow
def test_the_real_server_announces_itself_and_stops_in_time() -> None:
    async def run() -> None:
        async with listening(SERVICES[1]) as heard:
            environ = {"IES_SERVER_ANNOUNCE": "true", "IES_SERVER_HOST": LOOPBACK}
            with serving("serve", "simulator:MT175", environ=environ) as server:
                port = int(server.url.rpartition(":")[2])

                async def with_its_meter() -> bool:
                    return bool(text(await heard.at(port)).get("meters"))

                await until(with_its_meter, 30)
                told, identity = text(await heard.at(port)), server.get("/api/v1/status").json()["server"]
                assert (told["id"], told["version"]) == (identity["id"], identity["version"])
                assert (told["token"], told["tls"]) == ("0", "0")
                started_s = time.monotonic()
                server.process.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(server.process.wait, 5) == 0
                assert time.monotonic() - started_s < 3
                assert "Traceback" not in server.log

    asyncio.run(run())
