"""A named port finds the protocol and the line settings of the meter behind it, and never disturbs one that sends."""

import asyncio
import errno
import termios
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

import d0meter
import pushes
import telegrams
import texts
from iskra_server.base.address import Address
from iskra_server.codecs.d0.speeds import Learned
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.text.parity import with_parity
from iskra_server.simulator.d0_wire import D0Wire
from iskra_server.sources import search
from iskra_server.sources.port_memory import FoundMeter, PortMemory, polled
from iskra_server.sources.port_source import port_source
from iskra_server.sources.reconnect import Reconnecting
from iskra_server.sources.search import Window
from iskra_server.sources.source import LineSettings
from running import DEADLINE_S
from sources.ptys import Heard, listening, until
from sources.speaking import SpeakingPort, speaking

SML = telegrams.telegram()
P1 = texts.p1_telegram()
MBUS = encoder.mbus(pushes.apdu(pushes.tagged()))
HDLC = encoder.hdlc(pushes.apdu(pushes.ljubljana()))
D0_PUSHED = with_parity(texts.d0_readout())
# a meter that sends every 0.15 s is heard three times in each
ROUND = tuple(Window(window.settings, 0.45) for window in search.ROUND)
SHORT = tuple(Window(window.settings, 0.1) for window in search.ROUND)
# a search that also listens with other than the usual settings does not ask before a test ends
ENDLESS = (SHORT[0], *(Window(window.settings, 10 * DEADLINE_S) for window in search.ROUND[1:]))


def source_of(
    path: str, memory: PortMemory | None = None, options: str = "", windows: tuple[Window, ...] = ROUND
) -> Reconnecting:
    return port_source(Address(path + options), memory or PortMemory(), windows=windows)


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


async def found(source: Reconnecting, heard: Heard, telegram: bytes) -> None:
    await until(lambda: telegram in heard.data)
    assert source.state.is_open
    assert source.state.problem is None


@pytest.mark.parametrize(
    ("telegram", "settings", "protocol"),
    [
        (SML, LineSettings(9600), "sml"),
        (D0_PUSHED, LineSettings(9600), "d0"),
        (P1, LineSettings(115_200), "p1"),
        (with_parity(P1), LineSettings(115_200), "p1"),
        (HDLC, LineSettings(115_200), "dlms"),
        (MBUS, LineSettings(2400, "8E1"), "dlms"),
        (HDLC, LineSettings(38_400), "dlms"),
        # not among the speeds of a round: the bytes look like them
        (SML, LineSettings(2400), "sml"),
        (SML, LineSettings(19_200), "sml"),
        (P1, LineSettings(1200), "p1"),
        (P1, LineSettings(4800), "p1"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value) if isinstance(value, LineSettings) else "",
)
def test_a_meter_that_sends_is_found_at_its_speed_and_nothing_is_sent(
    speaker: Callable[..., SpeakingPort], tmp_path: Path, telegram: bytes, settings: LineSettings, protocol: str
) -> None:
    port, memory = speaker(telegram, settings), PortMemory(tmp_path)
    source = source_of(port.path, memory)

    async def main() -> None:
        async with speaking(port), listening(source) as heard:
            await found(source, heard, telegram)
            assert (source.state.line, source.state.protocol) == (settings, protocol)
        assert memory.recall(port.path) == FoundMeter(protocol, settings.baud, settings.format)
        assert port.sent == b""

    run(main())


def test_the_bytes_before_the_first_whole_telegram_reach_the_reader(speaker: Callable[..., SpeakingPort]) -> None:
    port = speaker(SML)
    source = source_of(port.path)

    async def main() -> None:
        async with listening(source) as heard:
            await until(lambda: source.state.line)
            port.send(SML[-60:])
            await until(lambda: heard.data == SML[-60:])
            assert source.state.protocol == "sml"
            port.send(SML)
            await until(lambda: heard.data == SML[-60:] + SML)

    run(main())


def test_a_silent_meter_is_asked_after_two_rounds_and_its_settings_are_remembered(tmp_path: Path) -> None:
    async def main() -> None:
        wire, memory = D0Wire([d0meter.meter(reaction_s=0.02)], rate=10.0), PortMemory(tmp_path)
        async with d0meter.d0_pty(wire) as path:
            source = source_of(path, memory)
            async with listening(source) as heard:
                await until(lambda: any(chunk.results for chunk in heard.chunks))
                await until(lambda: (source.state.protocol, source.state.poll) == ("d0", "read"))
            stored = memory.recall(path)
            assert stored is not None
            assert (stored.protocol, stored.is_polled) == ("d0", True)
            assert stored.speed is not None
            assert [written.data for written in wire.written][:1] == [b"/?!\r\n"]
            # it begins there after a restart
            asked_before = len(wire.written)
            again = source_of(path, memory, windows=ENDLESS)
            async with listening(again):
                await until(lambda: len(wire.written) > asked_before)

    run(main())


@pytest.mark.parametrize("reason", ["a byte was heard", "sends by itself", "listen only", "another protocol"])
def test_a_port_is_never_asked_where_something_sends_or_the_user_forbids_it(
    speaker: Callable[..., SpeakingPort], reason: str, tmp_path: Path
) -> None:
    port, memory = speaker(b""), PortMemory(tmp_path)
    options = {"listen only": "?listen_only=1", "another protocol": "?protocol=sml"}.get(reason, "")
    if reason == "sends by itself":
        memory.remember(port.path, FoundMeter("sml"))
    source = source_of(port.path, memory, options, windows=SHORT)

    async def main() -> None:
        async with listening(source):
            await until(lambda: source.state.problem == "silence")
            if reason == "a byte was heard":
                port.send(b"?")
            # two rounds and more
            for _ in range(3):
                await until(lambda: source.state.line == SHORT[-1].settings or "protocol" in options)
                await until(lambda: source.state.line == SHORT[0].settings)
            await asyncio.sleep(0.5)
            # the advice names ?protocol=d0
            assert source.state.problem == ("noise" if reason == "a byte was heard" else "silence")
            assert source.state.poll == ("not_asked" if reason == "sends by itself" else "")
        assert port.sent == b""

    run(main())


def test_a_silent_port_is_asked_after_two_rounds_and_no_earlier(speaker: Callable[..., SpeakingPort]) -> None:
    port = speaker(b"")
    source = source_of(port.path, windows=SHORT)

    async def main() -> None:
        async with listening(source):
            await until(lambda: source.state.line == SHORT[-1].settings)
            assert port.sent == b""
            await until(lambda: source.state.line == LineSettings(300))
            await until(lambda: port.sent == with_parity(b"/?!\r\n"))
            await until(lambda: source.state.poll == "silent")

    run(main())


@pytest.mark.slow
def test_a_head_that_only_echoes_is_asked_once(tmp_path: Path) -> None:
    async def main() -> None:
        wire = D0Wire([], is_echoed=True)
        async with d0meter.d0_pty(wire) as path:
            source = source_of(path, windows=SHORT)
            async with listening(source):
                await until(lambda: source.state.poll == "echo")
                assert (source.state.problem, source.state.is_open) == ("silence", True)
                await asyncio.sleep(1.0)
        assert [written.data for written in wire.written] == [b"/?!\r\n"]

    run(main())


def test_it_begins_with_what_was_found_before(speaker: Callable[..., SpeakingPort], tmp_path: Path) -> None:
    port, memory = speaker(P1, LineSettings(115_200)), PortMemory(tmp_path)
    memory.remember(port.path, FoundMeter("p1", 115_200))
    source = source_of(port.path, memory)

    async def main() -> None:
        async with speaking(port), listening(source) as heard:
            await found(source, heard, P1)
        assert set(port.heard_at) == {115_200}

    run(main())


def test_another_meter_than_before_is_found(speaker: Callable[..., SpeakingPort], tmp_path: Path) -> None:
    port, memory = speaker(SML), PortMemory(tmp_path)
    memory.remember(port.path, FoundMeter("p1", 115_200))
    source = source_of(port.path, memory)

    async def main() -> None:
        async with speaking(port), listening(source) as heard:
            await found(source, heard, SML)
        assert memory.recall(port.path) == FoundMeter("sml")

    run(main())


def test_a_meter_that_sends_in_place_of_one_that_was_asked_is_found(
    speaker: Callable[..., SpeakingPort], tmp_path: Path
) -> None:
    port, memory = speaker(SML), PortMemory(tmp_path)
    memory.remember(port.path, polled(Learned("5")))
    source = source_of(port.path, memory)

    async def main() -> None:
        async with speaking(port), listening(source) as heard:
            await found(source, heard, SML)
        assert memory.recall(port.path) == FoundMeter("sml")
        assert port.sent == b""

    run(main())


def test_bytes_without_a_telegram_at_8e1_are_read_without_parity_next(speaker: Callable[..., SpeakingPort]) -> None:
    port = speaker(b"")
    source = source_of(port.path)

    async def main() -> None:
        async with listening(source):
            await until(lambda: source.state.line == LineSettings(2400, "8E1"))
            port.send(bytes(range(0x81, 0xA1)))
            await until(lambda: source.state.line == LineSettings(2400))

    run(main())


def test_noise_is_shown_and_does_not_reach_the_reader(speaker: Callable[..., SpeakingPort]) -> None:
    port = speaker(b"")
    source = source_of(port.path)
    noise = bytes(range(0x81, 0xC1))

    async def main() -> None:
        async with listening(source) as heard:
            # opening a port discards what it received before
            await until(lambda: source.state.line)
            port.send(noise)
            await until(lambda: source.state.problem == "noise")
            state = source.state
            assert (state.is_open, state.probe.data, state.probe.count) == (True, noise, len(noise))
            assert state.line == LineSettings()
            await until(lambda: source.state.line != LineSettings())
            # what is judged are the bytes as they were read at 9600 8N1
            port.send(b"\x83\x84")
            await until(lambda: source.state.details["bytes"] == str(len(noise) + 2))
            assert source.state.probe.data == noise
            assert heard.chunks == []

    run(main())


@pytest.mark.parametrize("known", [None, FoundMeter("p1", 115_200)])
def test_speeds_that_an_adapter_refuses_are_passed_over(
    speaker: Callable[..., SpeakingPort], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, known: FoundMeter | None
) -> None:
    set_line = termios.tcsetattr

    def refuse(fd: int, when: int, attributes: Any) -> None:
        if attributes[5] in (termios.B115200, termios.B2400):
            raise termios.error(errno.EINVAL, "Invalid argument")
        set_line(fd, when, attributes)

    monkeypatch.setattr(termios, "tcsetattr", refuse)
    port, memory = speaker(HDLC, LineSettings(38_400)), PortMemory(tmp_path)
    if known:
        memory.remember(port.path, known)
    source = source_of(port.path, memory)

    async def main() -> None:
        async with speaking(port), listening(source) as heard:
            await found(source, heard, HDLC)
            assert source.state.line == LineSettings(38_400)
            port.unplug()
            await until(lambda: source.state.problem)
            assert source.state.problem in ("unplugged", "missing")

    run(main())


def test_a_silent_port_is_searched_at_every_speed(speaker: Callable[..., SpeakingPort]) -> None:
    port = speaker(b"")
    source = source_of(port.path, options="?listen_only=1")

    async def main() -> None:
        async with listening(source):
            for window in (*ROUND, ROUND[0]):
                await until(lambda window=window: source.state.line == window.settings)  # type: ignore[misc]
                assert source.state.is_open
            assert source.state.problem == "silence"

    run(main())
