"""The announcement, heard by a second instance on the loopback of this machine, or in networks of its own."""

import asyncio
import gc
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import pytest
from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from browsing import ANOTHER, LOOPBACK, browsing, text_of, until
from emulating import running
from homeassistant import network
from iskra_server.base.announcement import AnnouncedService, Announcement, Services, addresses_of
from running import free_port

TYPE: Final = "_iskra-test._tcp"


def service(port: int, text: dict[str, str] | None = None, name: str = "") -> AnnouncedService:
    return AnnouncedService(TYPE, name or f"test {port}", port, text or {}, f"test-{port}")


@asynccontextmanager
async def announcing(services: Services) -> AsyncIterator[None]:
    announcement = Announcement(host=LOOPBACK, services=services, look_every_s=0.1)
    async with running(announcement.run()):
        yield


def test_a_browser_finds_a_service_its_text_and_its_host() -> None:
    async def run() -> None:
        port = free_port()
        async with browsing(TYPE) as browser, announcing(lambda _: [service(port, {"path": "/", "id": "ab"})]):
            await until(lambda: browser.at(port))
            info = await browser.at(port)
            assert info and info.parsed_addresses() == [LOOPBACK]
            assert (info.name, info.server) == (f"test {port}.{TYPE}.local.", f"test-{port}.local.")
            assert text_of(info) == {"path": "/", "id": "ab"}

    asyncio.run(run())


def test_services_that_change_appear_and_disappear_are_followed() -> None:
    async def run() -> None:
        first, second = free_port(), free_port()
        services: list[AnnouncedService] = []
        async with browsing(TYPE) as browser, announcing(lambda _: tuple(services)):
            services.append(service(first, {"meters": ""}))
            await until(lambda: browser.at(first))
            services[:] = [service(first, {"meters": "a,b"}), service(second)]
            await until(lambda: browser.at(second))

            async def is_changed() -> bool:
                return text_of(await browser.at(first)) == {"meters": "a,b"}

            await until(is_changed)
            del services[0]

            async def is_gone() -> bool:
                return f"test {first}.{TYPE}.local." not in browser.names

            await until(is_gone)
            assert await browser.at(second)
            services.clear()

            async def are_all_gone() -> bool:
                return f"test {second}.{TYPE}.local." not in browser.names

            await until(are_all_gone)

    asyncio.run(run())


def test_with_another_machine_of_its_name_it_has_a_name_of_its_own_and_keeps_it() -> None:
    async def run() -> None:
        port, text = free_port(), {"meters": ""}
        async with (
            browsing(TYPE) as browser,
            AsyncZeroconf(interfaces=[ANOTHER], ip_version=IPVersion.V4Only) as other,
        ):
            type_ = f"{TYPE}.local."
            taken = AsyncServiceInfo(type_, f"test {port}.{type_}", port=1, parsed_addresses=[LOOPBACK])
            await (await other.async_register_service(taken))
            async with announcing(lambda _: [service(port, dict(text))]):
                await until(lambda: browser.at(port))
                text["meters"] = "a"

                async def is_told() -> bool:
                    info = await browser.at(port)
                    return info is not None and info.name != taken.name and text_of(info).get("meters") == "a"

                await until(is_told)
                assert await browser.at(1)

    asyncio.run(run())


def test_goodbye_is_heard() -> None:
    async def run() -> None:
        port = free_port()
        async with browsing(TYPE) as browser:
            async with announcing(lambda _: [service(port)]):
                await until(lambda: browser.at(port))
                mine = {name for name in browser.names if str(port) in name}

            async def is_gone() -> bool:
                return not mine & browser.names

            await until(is_gone)

    asyncio.run(run())


# the library leaves a socket to the garbage collector when it cannot have another one
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_keeps_it_from_being_announced_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        # no address of this machine
        announcement = Announcement(host="192.0.2.1", services=lambda _: [service(1)], look_every_s=0.01)
        task = asyncio.create_task(announcement.run())
        async with asyncio.timeout(60):
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
    assert not any(address.startswith("127.") for address in everywhere)
    assert addresses_of("::") == everywhere


TWO_NETWORKS = """
ip link add docker0 type bridge
ip address add 10.1.0.1/16 dev docker0
ip link set docker0 up
ip link add lan1 type veth peer name far1
ip address add 10.2.0.1/24 dev lan1
ip link set lan1 up
ip link add lan2 type veth peer name far2
ip address add 192.168.2.1/24 dev lan2
ip link set lan2 up
ip link set far2 up
ip route add default via 192.168.2.254
"""
PRINT_ADDRESSES = "from iskra_server.base.announcement import addresses_of; print(*addresses_of('::'))"


def test_the_address_towards_the_internet_comes_first_and_that_of_a_container_bridge_not_at_all() -> None:
    if reason := network.missing():
        pytest.skip(reason)
    machine = network.Machine("")
    try:
        for line in TWO_NETWORKS.strip().splitlines():
            machine.run(*line.split())
        printed = subprocess.check_output([*machine.command, sys.executable, "-c", PRINT_ADDRESSES], text=True)
        assert printed.split() == ["192.168.2.1", "10.2.0.1"]
    finally:
        machine.end()


def test_one_address_is_announced_where_one_is_wanted() -> None:
    if not addresses_of("0.0.0.0"):
        pytest.skip("this machine has no address but loopback")

    async def run() -> None:
        given: list[tuple[str, ...]] = []

        def services(addresses: tuple[str, ...]) -> list[AnnouncedService]:
            given.append(addresses)
            return []

        task = asyncio.create_task(Announcement(host="0.0.0.0", services=services, one_address=True).run())
        async with asyncio.timeout(60):
            while not given:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert given == [addresses_of("0.0.0.0")[:1]]

    asyncio.run(run())
