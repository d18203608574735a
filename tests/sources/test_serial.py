import asyncio
import fcntl
import os
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from iskra_server.base.address import Address
from iskra_server.base.backoff import Backoff
from iskra_server.base.installation import in_container
from iskra_server.sources import reconnect
from iskra_server.sources.port_memory import PortMemory
from iskra_server.sources.port_source import port_source
from iskra_server.sources.serial import driver_errors, open_serial
from iskra_server.sources.source import LineErrors, LineSettings, SourceState
from running import DEADLINE_S
from sources.driver import Driver
from sources.ptys import Pty, listening, nobody, until

Plug = Callable[[], Pty]
Run = Callable[[Coroutine[Any, Any, None]], None]
TELEGRAM = bytes(range(256)) + b"\x1b\x1b\x1b\x1b\x1a" + bytes(183)


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Both event loops that the server runs on."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else None

    def run_in_loop(main: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main)

    return run_in_loop


def port_of(path: object, baud: int = 9600) -> reconnect.Reconnecting:
    return port_source(Address(f"{path}?baud={baud}"), PortMemory())


def test_every_byte_arrives_as_it_was_sent(plug: Plug, run: Run) -> None:
    async def main() -> None:
        port = plug()
        source = port_of(port.path)
        async with listening(source) as heard:
            await until(lambda: source.state == SourceState(port.path, is_open=True, line=LineSettings()))
            for byte in TELEGRAM:
                port.send(bytes([byte]))
            port.send(TELEGRAM)
            await until(lambda: heard.data == 2 * TELEGRAM)

    run(main())


@pytest.mark.parametrize(("baud", "speed"), [(9600, termios.B9600), (115200, termios.B115200)])
def test_the_port_is_set_to_8n1_without_any_processing(plug: Plug, baud: int, speed: int) -> None:
    async def main() -> None:
        port = plug()
        source = port_of(port.path, baud)
        async with listening(source):
            await until(lambda: source.state.is_open)
            iflag, oflag, cflag, lflag, ispeed, ospeed, _ = termios.tcgetattr(port._master)
        assert (iflag, oflag, lflag) == (0, 0, 0)
        assert cflag & (termios.CSIZE | termios.PARENB | termios.CSTOPB) == termios.CS8
        assert (ispeed, ospeed) == (speed, speed)

    asyncio.run(main())


def test_a_single_byte_is_delivered_at_once(plug: Plug, run: Run) -> None:
    async def main() -> None:
        port = plug()
        source = port_of(port.path)
        async with listening(source) as heard:
            await until(lambda: source.state.is_open)
            for count in range(1, 31):
                port.send(b"x")
                await until(lambda count=count: len(heard.chunks) == count)  # type: ignore[misc]
        assert [chunk.data for chunk in heard.chunks] == [b"x"] * 30

    run(main())


def test_telegrams_at_the_speed_of_the_wire_cause_few_wake_ups(plug: Plug) -> None:
    telegram, per_write = TELEGRAM[:240], 8

    async def send(port: Pty) -> None:
        due_s = time.monotonic()
        for start in range(0, len(telegram), per_write):
            due_s += per_write / 960
            await asyncio.sleep(due_s - time.monotonic())
            port.send(telegram[start : start + per_write])

    async def main() -> None:
        port = plug()
        source = port_of(port.path)
        async with listening(source) as heard:
            await until(lambda: source.state.is_open)
            chunks: list[int] = []
            for count in range(1, 6):
                before = len(heard.chunks)
                await send(port)
                await until(lambda count=count: heard.data == count * telegram)  # type: ignore[misc]
                chunks.append(len(heard.chunks) - before)
                await asyncio.sleep(0.12)
        # 30 writes; three chunks on a machine with nothing else to do, once the speed of the wire is known
        assert min(chunks[1:]) <= 15

    asyncio.run(main())


def test_unplugging_is_noticed_and_another_device_at_the_same_path_is_read(
    plug: Plug, run: Run, tmp_path: Path
) -> None:
    async def main() -> None:
        by_id, first, second = tmp_path / "usb-head", plug(), plug()
        by_id.symlink_to(first.path)
        source = port_of(by_id)
        async with listening(source) as heard:
            await until(lambda: source.state.is_open)
            first.send(b"before")
            await until(lambda: heard.data == b"before")
            first.unplug()
            by_id.unlink()
            await until(lambda: not source.state.is_open)
            assert source.state == SourceState(
                str(by_id),
                is_open=False,
                problem="unplugged",
                details={"port": str(by_id)},
            )
            by_id.symlink_to(second.path)
            await until(lambda: source.state.is_open)
            assert source.state == SourceState(str(by_id), is_open=True, line=LineSettings())
            second.send(b" after")
            await until(lambda: heard.data == b"before after")

    run(main())


def test_a_path_that_leads_to_another_device_is_followed_within_two_seconds(plug: Plug, tmp_path: Path) -> None:
    async def main() -> None:
        by_id, first, second = tmp_path / "usb-head", plug(), plug()
        by_id.symlink_to(first.path)
        source = port_of(by_id)
        async with listening(source):
            await until(lambda: source.state.is_open)
            by_id.unlink()
            by_id.symlink_to(second.path)
            await until(lambda: source.state.problem == "unplugged")
            await until(lambda: source.state.is_open)
            assert not second.is_untouched

    asyncio.run(main())


def test_a_missing_port_is_opened_a_second_after_it_appears(
    plug: Plug, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "next_s", lambda _: 10 * DEADLINE_S)

    async def main() -> None:
        path = tmp_path / "usb-head"
        source = port_of(path)
        async with listening(source):
            await until(lambda: source.state.problem)
            assert source.state == SourceState(
                str(path),
                is_open=False,
                problem="missing_in_container" if in_container() else "missing",
                details={"port": str(path)},
            )
            await asyncio.sleep(0.1)
            path.symlink_to(plug().path)
            await until(lambda: source.state.is_open)

    asyncio.run(main())


def test_chunks_have_the_errors_that_the_driver_counted(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pseudo-terminal counts nothing, so another driver stands in its place."""
    driver = Driver()

    async def main(*expected: LineErrors | None) -> None:
        port = plug()
        source = port_of(port.path)
        chunks = source.chunks()
        for errors in expected:
            chunk = asyncio.ensure_future(anext(chunks))
            await until(lambda: source.state.is_open)
            port.send(b"bytes")
            assert (await asyncio.wait_for(chunk, 60.0)).errors == errors
            driver.framing, driver.overrun = driver.framing + 3, driver.overrun + 1
        await chunks.aclose()

    asyncio.run(main(None, None))
    monkeypatch.setattr(fcntl, "ioctl", driver.ioctl)
    asyncio.run(main(LineErrors(), LineErrors(framing=3, overruns=1)))


def test_a_busy_port_names_the_program_and_is_opened_once_it_is_free(plug: Plug) -> None:
    port = plug()
    hold = "port = open(sys.argv[1], 'r+b', 0); fcntl.flock(port, fcntl.LOCK_EX); print(flush=True); input()"
    command = [sys.executable, "-c", f"import fcntl, sys; {hold}", port.path]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout and other.stdout.readline()
    name = Path(f"/proc/{other.pid}/comm").read_text().strip()

    async def main() -> None:
        source = port_of(port.path)
        async with listening(source):
            await until(lambda: source.state.problem)
            assert source.state == SourceState(
                port.path,
                is_open=False,
                problem="busy",
                details={"port": port.path, "program": f"{name} (pid {other.pid})"},
            )
            await asyncio.to_thread(other.communicate, b"\n")
            await until(lambda: source.state.is_open)

    try:
        asyncio.run(main())
    finally:
        other.kill()
        other.wait()


def test_a_port_is_locked_while_it_is_read_and_free_afterwards(plug: Plug) -> None:
    port = plug()
    descriptor = os.open(port.path, os.O_RDWR | os.O_NOCTTY)

    async def main() -> None:
        source = port_of(port.path)
        async with listening(source):
            await until(lambda: source.state.is_open)
            with pytest.raises(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert source.state == SourceState(port.path, is_open=False)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    try:
        asyncio.run(main())
    finally:
        os.close(descriptor)


def test_missing_permission_names_the_owner(plug: Plug) -> None:
    path = plug().path

    async def main() -> None:
        source = port_of(path)
        os.chmod(path, 0o600)
        # a group that is not root's, as dialout
        os.chown(path, -1, 54321)
        with nobody():
            async with listening(source):
                await until(lambda: source.state.problem)
        assert (source.state.problem, source.state.details["owner"]) == ("permission_owner", "root")

    asyncio.run(main())


@pytest.mark.parametrize("path", ["/dev/null", __file__, "/dev"])
def test_other_files_are_not_serial_ports(path: str) -> None:
    async def main() -> None:
        source = port_of(path)
        async with listening(source):
            await until(lambda: source.state.problem)
            assert (source.state.problem, source.state.details["port"]) == (
                "unusable_file" if path == __file__ else "unusable",
                path,
            )

    asyncio.run(main())


def test_breaks_count_as_framing_errors_and_buffer_overruns_as_overruns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fcntl, "ioctl", Driver().ioctl)
    assert driver_errors(0) == LineErrors(framing=7 + 1, overruns=5 + 2)


def test_a_driver_that_counts_no_errors() -> None:
    near, far = os.openpty()
    assert driver_errors(far) is None
    os.close(near)
    os.close(far)
    assert driver_errors(far) is None


def test_the_speed_changes_without_losing_what_was_received(plug: Plug, run: Run) -> None:
    async def main() -> None:
        port = plug()
        line = await open_serial(port.path)
        port.send(b"received before")
        line.configure(LineSettings(300, "7E1"))
        assert port.settings()[4] == termios.B300
        assert await line.read() == b"received before"
        assert line.settings == LineSettings(300, "7E1")
        await line.close()

    run(main())


def test_a_request_reaches_the_meter(plug: Plug, run: Run) -> None:
    async def main() -> None:
        port = plug()
        line = await open_serial(port.path)
        line.write(b"/?!\r\n")
        assert port.received(5) == b"/?!\r\n"
        await line.close()

    run(main())
