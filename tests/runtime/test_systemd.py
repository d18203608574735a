import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from iskra_server.runtime.systemd import READY, feed_watchdog, notify


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A service manager's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(60)
        yield listening


def test_a_state_reaches_the_service_manager(manager: socket.socket) -> None:
    notify(READY, {"NOTIFY_SOCKET": manager.getsockname()})
    assert manager.recv(100) == b"READY=1"


def test_an_abstract_socket_is_named_with_an_at_sign() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0iskra-server-test")
        listening.settimeout(60)
        notify(READY, {"NOTIFY_SOCKET": "@iskra-server-test"})
        assert listening.recv(100) == b"READY=1"


def test_an_at_sign_within_a_path_is_part_of_the_path(tmp_path: Path) -> None:
    folder = tmp_path / "user@1000.service"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(folder / "notify"))
        listening.settimeout(60)
        notify(READY, {"NOTIFY_SOCKET": str(folder / "notify")})
        assert listening.recv(100) == b"READY=1"


def test_without_a_service_manager_nothing_happens(tmp_path: Path) -> None:
    notify(READY, {})
    notify(READY, {"NOTIFY_SOCKET": str(tmp_path / "gone")})
    asyncio.run(asyncio.wait_for(feed_watchdog(lambda: True, {}), 60))


def test_the_watchdog_is_fed_at_half_its_interval(manager: socket.socket) -> None:
    async def run() -> list[bytes]:
        environ = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "40000"}
        feeding = asyncio.create_task(feed_watchdog(lambda: True, environ))
        exported = [await asyncio.to_thread(manager.recv, 100) for _ in range(3)]
        feeding.cancel()
        return exported

    assert asyncio.run(run()) == [b"WATCHDOG=1"] * 3


def test_the_watchdog_is_not_fed_while_it_is_not_well(manager: socket.socket) -> None:
    well = [False]

    async def run() -> bytes:
        environ = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "20000"}
        feeding = asyncio.create_task(feed_watchdog(lambda: well[0], environ))
        await asyncio.sleep(0.1)
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.recv(100)
        well[0] = True
        manager.settimeout(60)
        exported = await asyncio.to_thread(manager.recv, 100)
        feeding.cancel()
        return exported

    assert asyncio.run(run()) == b"WATCHDOG=1"
