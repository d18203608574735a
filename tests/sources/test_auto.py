import asyncio
import fcntl
import os
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

import pytest

from iskra_server.base.backoff import Backoff
from iskra_server.sources import reconnect, search
from iskra_server.sources.auto import auto_source
from iskra_server.sources.errors import no_port
from iskra_server.sources.ports import Port, list_ports, plugged
from iskra_server.sources.search import Window
from iskra_server.sources.source import LineSettings, SourceState
from running import DEADLINE_S
from sources.ptys import Pty, listening, until

START = b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01"
Plug = Callable[[], Pty]


class Machine:
    """A folder like /dev, into which ports are plugged."""

    def __init__(self, dev: Path) -> None:
        self.dev = dev
        self.by_id = dev / "serial" / "by-id"
        self.by_id.mkdir(parents=True)

    def plug(self, name: str, port: Pty) -> str:
        path = self.by_id / name
        path.symlink_to(port.path)
        return str(path)

    def pull(self, name: str, port: Pty) -> None:
        port.unplug()
        (self.by_id / name).unlink()

    def source(self, seconds: float = 0.2, named: Collection[str] = ()) -> reconnect.Reconnecting:
        """Listens so long at each speed."""
        ports = partial(list_ports, self.dev, lambda: [])
        windows = tuple(Window(window.settings, seconds) for window in search.ROUND)
        return auto_source(ports=ports, plugged=partial(plugged, self.dev), windows=windows, named=named)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "dev")


async def state_with_problem(source: reconnect.Reconnecting) -> SourceState:
    async with listening(source):
        await until(lambda: source.state.problem)
        return source.state


def test_the_head_is_found_by_its_bytes_and_none_of_them_is_lost(machine: Machine, plug: Plug) -> None:
    silent, chatty, head = plug(), plug(), plug()
    machine.plug("usb-a-silent", silent)
    machine.plug("usb-b-chatty", chatty)
    path = machine.plug("usb-c-head", head)
    source = machine.source(10.0)

    async def main() -> None:
        async with listening(source) as heard:
            await until(lambda: silent.is_listening and chatty.is_listening and head.is_listening)
            chatty.send(b"$GPGGA,no,meter")
            head.send(b"rest" + START[:5])
            head.send(START[5:] + b"telegram")
            await until(lambda: source.state.is_open)
            head.send(b" and more")
            await until(lambda: heard.data == b"rest" + START + b"telegram and more")
            assert source.state == SourceState(path, is_open=True, line=LineSettings(), protocol="sml")

    asyncio.run(main())


def test_without_any_port_a_head_that_is_plugged_in_is_found(
    machine: Machine, plug: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "next_s", lambda _: 10 * DEADLINE_S)
    source, head = machine.source(), plug()

    async def main() -> None:
        async with listening(source) as heard:
            await until(lambda: source.state.problem)
            assert source.state == SourceState("auto", is_open=False, problem=no_port())
            await asyncio.sleep(0.1)
            machine.plug("usb-head", head)
            await until(lambda: head.is_listening)
            head.send(START)
            await until(lambda: heard.data == START)

    asyncio.run(main())


def test_a_lost_head_is_found_again_under_another_name(machine: Machine, plug: Plug) -> None:
    first, second = plug(), plug()
    machine.plug("usb-first", first)
    source = machine.source()

    async def main() -> None:
        async with listening(source) as heard:
            await until(lambda: first.is_listening)
            first.send(START)
            await until(lambda: source.state.is_open)
            machine.pull("usb-first", first)
            await until(lambda: source.state.problem == "unplugged")
            path = machine.plug("usb-second", second)
            await until(lambda: second.is_listening)
            second.send(START)
            await until(lambda: heard.data == 2 * START)
            assert source.state == SourceState(path, is_open=True, line=LineSettings(), protocol="sml")

    asyncio.run(main())


def test_the_only_port_is_searched_for_ever_and_its_state_has_the_bytes(machine: Machine, plug: Plug) -> None:
    port = plug()
    path = machine.plug("usb-head", port)
    source = machine.source(0.3)

    async def main() -> None:
        async with listening(source) as heard:
            await until(lambda: source.state.problem)
            state = source.state
            assert (state.port, state.is_open, state.problem) == (path, False, "silence")
            assert (state.details, state.probe.count) == ({"port": path, "bytes": "0"}, 0)
            await until(lambda: source.state.line == LineSettings())
            port.send(b"\xff\x00 noise")
            await until(lambda: (source.state.problem, source.state.probe.data) == ("noise", b"\xff\x00 noise"))
            await until(lambda: source.state.line != LineSettings())
            await until(lambda: source.state.line == LineSettings())
            port.send(START)
            await until(lambda: heard.data == START)

    asyncio.run(main())


def test_a_second_port_ends_the_probing_of_the_first(
    machine: Machine, plug: Plug, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    port, head = plug(), plug()
    other = machine.plug("usb-a-other", port)
    source = machine.source(0.1)

    async def main() -> None:
        async with listening(source) as heard:
            await until(lambda: source.state.problem == "silence")
            machine.plug("usb-b-head", head)
            await until(lambda: head.is_listening)

            def is_found() -> bool:
                head.send(START)
                return bool(heard.data)

            await until(is_found, every_s=0.1)

    asyncio.run(main())
    (told,) = [message for message in caplog.messages if message.startswith("auto reads one meter, ")]
    assert f"If there is a head at {other} too, name all of them: IES_METERS=" in told


def test_several_silent_ports_are_named(machine: Machine, plug: Plug) -> None:
    first, second = machine.plug("usb-a", plug()), machine.plug("usb-b", plug())
    state = asyncio.run(state_with_problem(machine.source(0.05)))
    assert (state.problem, state.details) == ("no_meter_found", {"ports": f"{first}, {second}"})


def test_devices_that_are_not_heads_are_never_opened(machine: Machine, plug: Plug) -> None:
    stick = plug()
    path = machine.plug("usb-ITead_Sonoff_Zigbee_3.0_USB_Dongle_Plus-if00", stick)
    state = asyncio.run(state_with_problem(machine.source()))
    assert stick.is_untouched
    assert (state.problem, state.details) == ("all_taken", {"ports": f"{path} (not a head)"})


def test_a_port_that_another_server_reads_is_told_as_such() -> None:
    holder = "iskra-server serve (pid 812)"
    ports = [
        Port(f"/dev/ttyUSB{number}", None, "", name, may_open=True)
        for number, name in ((0, holder), (1, "zig (pid 7)"))
    ]
    state = asyncio.run(state_with_problem(auto_source(ports=lambda: ports, plugged=lambda: 0)))
    assert (state.problem, state.details) == ("read_by_server", {"port": "/dev/ttyUSB0", "program": holder})


def test_ports_of_other_meters_are_left_alone(machine: Machine, plug: Plug) -> None:
    other, head = plug(), plug()
    machine.plug("usb-a-other", other)
    machine.plug("usb-b-head", head)
    source = machine.source(named=(other.path, "auto"))

    async def main() -> None:
        async with listening(source) as heard:
            await until(lambda: head.is_listening)
            await until(lambda: source.state.line)
            head.send(START)
            await until(lambda: heard.data == START)
            assert other.is_untouched

    asyncio.run(main())


def test_meters_at_all_ports_are_searched_at_the_same_time(machine: Machine, plug: Plug) -> None:
    chatty, head = plug(), plug()
    machine.plug("usb-a-chatty", chatty)
    path = machine.plug("usb-b-head", head)
    source = machine.source(0.3)

    async def main() -> None:
        async with listening(source) as heard:
            await until(lambda: source.state.problem == "no_meter_found")
            assert source.state.port == "auto"
            # after another port has been tried at other speeds, and while it sends

            def is_found() -> bool:
                chatty.send(b"$GPGGA,no,meter")
                head.send(START)
                return bool(heard.data)

            await until(is_found, every_s=0.02)
            assert source.state.port == path

    asyncio.run(main())


def test_ports_that_another_program_has_open_are_never_opened(plug: Plug) -> None:
    port = plug()
    held = Port("/dev/ttyUSB0", port.path, "FT232R", "zigbee2mqtt (pid 812)", True)
    state = asyncio.run(state_with_problem(auto_source(ports=lambda: [held])))
    assert port.is_untouched
    assert f"{port.path} (zigbee2mqtt (pid 812))" in state.details["ports"]


def test_a_locked_port_is_skipped(machine: Machine, plug: Plug) -> None:
    locked, head = plug(), plug()
    machine.plug("usb-a-locked", locked)
    machine.plug("usb-b-head", head)
    descriptor = os.open(locked.path, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    source = machine.source(10 * DEADLINE_S)

    async def main() -> None:
        async with listening(source) as heard:
            await until(lambda: head.is_listening)
            head.send(START)
            await until(lambda: heard.data == START)

    try:
        asyncio.run(main())
    finally:
        os.close(descriptor)


def test_an_error_of_the_only_port_is_the_problem(machine: Machine, plug: Plug) -> None:
    port = plug()
    path = machine.plug("usb-head", port)
    descriptor = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        state = asyncio.run(state_with_problem(machine.source()))
    finally:
        os.close(descriptor)
    assert state.problem == "named_twice"
    assert state.details["port"] == path
