import asyncio
import logging
from pathlib import Path

import pytest

import texts
from d0meter import d0_pty, meter
from iskra_server.codecs.d0.encoder import BREAK
from iskra_server.codecs.d0.speeds import Learned
from iskra_server.meter.reading import Reading
from iskra_server.simulator.d0_meter import BITS
from iskra_server.simulator.d0_port import serve_d0_tcp
from iskra_server.simulator.d0_wire import D0Wire
from iskra_server.sources import tcp
from iskra_server.sources.errors import SourceError
from iskra_server.sources.polled import d0_bridge_source, d0_source, poll_d0
from iskra_server.sources.serial import open_serial
from sources.polling import Clock, Poll, WireLine, messages
from sources.ptys import Heard, Pty, listening, until
from sources.rfc2217 import rfc2217_server

REQUEST, SELECT = b"/?!\r\n", b"\x06050\r\n"
ME162 = "ISK5ME162-0033"
LINES = ["0.0.0(63000199)", "1.8.0(0033402.264*kWh)", "2.8.0(0000010.120*kWh)"]
REGISTERS = {"1.8.0": "(0033402.265*kWh)", "2.8.0": "(0000010.120*kWh)"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def polling(wire: D0Wire, clock: Clock, **options: object) -> Poll:
    port = WireLine(wire, clock)
    return Poll(poll_d0(port, **options), port)  # type: ignore[arg-type]


def readings(heard: Heard) -> int:
    return sum(isinstance(result, Reading) for chunk in heard.chunks for result in chunk.results or ())


def test_a_meter_on_a_pseudo_terminal_is_read_at_the_speed_that_it_offers() -> None:
    learned: list[Learned] = []

    async def main() -> None:
        wire = D0Wire([meter()])
        async with d0_pty(wire) as path:
            source = d0_source(path, path, on_learned=learned.append)
            async with listening(source) as heard:
                # a busy machine may switch late; then another delay follows
                await until(lambda: source.state.poll == "read", 60)
                assert (source.state.protocol, str(source.state.line)) == ("d0", "300 8N1")
        assert readings(heard) == 1
        assert list(messages(wire))[:2] == [REQUEST, SELECT]

    asyncio.run(main())
    assert learned[-1].speed == "5"


def test_programming_mode_is_left_before_the_port_closes() -> None:
    async def main() -> None:
        virtual = meter(ME162, LINES, registers=REGISTERS, start_baud=9600)
        wire = D0Wire([virtual], baud=9600)
        async with d0_pty(wire) as path:
            source = d0_source(path, path, baud=9600, interval_s=1.0)
            async with listening(source):
                await until(lambda: virtual.is_programming)
            assert source.state.is_open is False
            await until(lambda: not virtual.is_programming)
        assert list(messages(wire))[-1] == BREAK

    asyncio.run(main())


def test_a_port_without_a_meter_is_released_after_one_request(plug) -> None:  # type: ignore[no-untyped-def]
    async def main() -> None:
        port: Pty = plug()
        line = await open_serial(port.path)
        polled = poll_d0(line)
        assert not await polled.ask()
        assert polled.state().poll == "silent"
        polled.release()
        line.configure(line.settings)
        port.send(b"listening again")
        assert await line.read() == b"listening again"
        assert port.received(5).translate(bytes(range(128)) * 2) == REQUEST
        await line.close()

    asyncio.run(main())


def test_what_came_while_a_meter_was_asked_is_read_afterwards(clock: Clock) -> None:
    async def main() -> None:
        wire = D0Wire([meter()])
        poll = polling(wire, clock)
        assert await poll.line.ask()
        assert (await poll.line.read()).translate(bytes(range(128)) * 2) == f"/{texts.D0_IDENT}\r\n".encode()
        await poll.run(10, lambda: bool(poll.results))
        assert len(poll.readings) == 1

    asyncio.run(main())


def test_an_echo_alone_is_no_meter(clock: Clock) -> None:
    async def main() -> None:
        poll = polling(D0Wire([meter()], is_echoed=True, is_deaf=True), clock)
        assert not await poll.line.ask()
        assert poll.line.state().poll == "echo"

    asyncio.run(main())


def test_an_outcome_without_a_byte_is_reported(clock: Clock) -> None:
    async def main() -> None:
        poll = polling(D0Wire([meter()], is_deaf=True), clock)
        assert await poll.line.read() == b""
        assert (poll.line.results(), poll.line.state().poll) == ((), "silent")

    asyncio.run(main())


def test_a_readout_that_breaks_off_is_a_fault_without_a_further_byte(clock: Clock) -> None:
    async def main() -> None:
        wire = D0Wire([meter(damage=lambda data: data[:100])])
        poll = polling(wire, clock)
        await poll.run(10, lambda: bool(poll.results))
        assert [result.kind for result in poll.results if not isinstance(result, Reading)] == ["cut"]
        assert poll.outcomes == ["damaged"]

    asyncio.run(main())


@pytest.mark.parametrize("late_s", [0.4, 3.0])
def test_bytes_that_waited_for_a_busy_event_loop_are_no_gap(clock: Clock, late_s: float) -> None:
    """During the readout the event loop reads now and then only; the request and its answer are in time."""

    async def main() -> None:
        wire = D0Wire([meter()])
        poll = polling(wire, clock)
        await poll.run(30, lambda: wire.baud == 9600)
        await poll.line.read()
        poll.port.late_s = lambda: late_s
        await poll.run(30, lambda: bool(poll.results))
        assert [type(result) for result in poll.results] == [Reading]

    asyncio.run(main())


def test_learned_settings_are_tried_first_and_others_are_handed_back(clock: Clock) -> None:
    learned: list[Learned] = []

    async def main() -> None:
        wire = D0Wire([meter()])
        poll = polling(wire, clock, learned=Learned("4", 0.1), on_learned=learned.append)
        await poll.run(30, lambda: bool(poll.results))
        assert list(messages(wire)) == [REQUEST, b"\x06040\r\n"]
        assert learned == []
        # the adapter is exchanged for one that holds the acknowledgement back
        wire.meters[0].gap_s = 0.03
        await poll.run(300, lambda: len(poll.readings) > 1 and bool(learned))

    asyncio.run(main())
    assert learned[-1].delay_s < 0.05


def test_closing_in_the_middle_of_a_readout_sends_b0_and_waits_until_it_has_left(clock: Clock) -> None:
    async def main() -> None:
        wire = D0Wire([meter()])
        poll = polling(wire, clock)
        await poll.run(10, lambda: wire.baud == 9600)
        began_s = clock.now_s
        await poll.line.close()
        assert wire.written[-1].data == BREAK
        assert clock.now_s - began_s >= len(BREAK) * BITS / 9600
        assert poll.port.is_closed

    asyncio.run(main())


def test_unplugging_in_programming_mode_is_harmless(tmp_path: Path) -> None:
    async def main() -> None:
        by_id = tmp_path / "head"
        virtual, other = (meter(ME162, LINES, registers=REGISTERS, start_baud=9600) for _ in range(2))
        source = d0_source(str(by_id), str(by_id), baud=9600, interval_s=1.0)
        async with d0_pty(D0Wire([other], baud=9600)) as second_path, listening(source) as heard:
            async with d0_pty(D0Wire([virtual], baud=9600)) as path:
                by_id.symlink_to(path)
                await until(lambda: virtual.is_programming, 60)
                by_id.unlink()
            await until(lambda: source.state.problem == "unplugged")
            by_id.symlink_to(second_path)
            before = readings(heard)
            await until(lambda: readings(heard) > before, 60)

    asyncio.run(main())


def test_closing_between_two_polls_sends_nothing(clock: Clock) -> None:
    async def main() -> None:
        wire = D0Wire([meter()])
        poll = polling(wire, clock)
        await poll.run(10, lambda: bool(poll.results))
        await poll.line.close()
        assert list(messages(wire)) == [REQUEST, SELECT]

    asyncio.run(main())


def test_programming_mode_is_left_after_every_poll_where_another_meter_may_wait(clock: Clock) -> None:
    async def main() -> None:
        wire = D0Wire([meter(ME162, LINES, registers=REGISTERS, address="7")])
        poll = polling(wire, clock, address="7")
        await poll.run(60, lambda: len(poll.readings) == 3)
        await poll.run(1)
        registers = [message for message in messages(wire) if message[:3] == b"\x01R1"]
        assert list(messages(wire))[:12] == [
            *(b"/?7!\r\n", SELECT),
            *(b"/?7!\r\n", b"\x06051\r\n", *registers[:2], BREAK),
            *(b"/?7!\r\n", b"\x06051\r\n", *registers[2:], BREAK),
        ]

    asyncio.run(main())


def test_a_meter_behind_rfc2217_is_read_at_the_speed_that_it_offers() -> None:
    async def main() -> None:
        wire = D0Wire([meter()])
        async with d0_pty(wire) as path, rfc2217_server(path) as (port, number):
            source = d0_bridge_source(f"rfc2217://127.0.0.1:{number}")
            async with listening(source) as heard:
                await until(lambda: source.state.poll == "read", 60)
                assert str(source.state.line) == "300 8N1"
        assert readings(heard) == 1
        assert list(messages(wire))[:2] == [REQUEST, SELECT]
        assert port.speeds[:3] == [300, 9600, 300]

    asyncio.run(main())


def test_a_meter_behind_raw_tcp_is_asked_without_a_change_of_speed() -> None:
    async def main() -> None:
        wire = D0Wire([meter(lines=LINES, unacknowledged_s=0.1)], rate=10.0)
        numbers: asyncio.Queue[int] = asyncio.Queue()
        server = asyncio.create_task(serve_d0_tcp(wire, "127.0.0.1", 0, numbers.put_nowait))
        source = d0_bridge_source(f"tcp://127.0.0.1:{await numbers.get()}")
        async with listening(source) as heard:
            await until(lambda: source.state.poll == "read", 60)
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)
        assert readings(heard) == 1
        assert set(messages(wire)) == {REQUEST}

    asyncio.run(main())


def test_a_silent_meter_does_not_end_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "IDLE_S", 0.1)

    async def main() -> None:
        wire = D0Wire([], is_deaf=True)
        numbers: asyncio.Queue[int] = asyncio.Queue()
        server = asyncio.create_task(serve_d0_tcp(wire, "127.0.0.1", 0, numbers.put_nowait))
        source = d0_bridge_source(f"tcp://127.0.0.1:{await numbers.get()}")
        async with listening(source):
            await until(lambda: source.state.poll or source.state.problem)
            assert (source.state.poll, source.state.problem) == ("silent", None)
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)

    asyncio.run(main())


def test_what_is_sent_is_in_the_log_as_text(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "iskra_server.sources")

    async def main() -> None:
        poll = polling(D0Wire([meter()]), clock)
        await poll.run(10, lambda: bool(poll.results))

    asyncio.run(main())
    assert [record.message for record in caplog.records] == [
        "wire: sent /?!<CR><LF> at 300 baud",
        "wire: sent <ACK>050<CR><LF> at 300 baud",
    ]


class RefusingLine(WireLine):
    """An adapter that takes no speed above `fastest`."""

    fastest = 4800

    async def set_speed(self, baud: int) -> None:
        if baud > self.fastest:
            raise SourceError("unusable", port=self.port, reason="Invalid argument")
        await super().set_speed(baud)


@pytest.mark.parametrize(("fastest", "speed"), [(4800, b"4"), (2400, b"3")])
def test_a_speed_that_the_adapter_refuses_is_followed_by_the_next_lower_one(
    fastest: int, speed: bytes, clock: Clock
) -> None:
    async def main() -> None:
        port = RefusingLine(D0Wire([meter("LGZ5ZMD310")]), clock)
        port.fastest = fastest
        poll = Poll(poll_d0(port), port)
        await poll.run(120, lambda: len(poll.readings) == 2)
        sent = list(messages(port.wire))
        # from then on it is asked for that one at once
        assert len(poll.readings) == 2
        refused = [REQUEST, SELECT] if fastest == 4800 else [REQUEST, SELECT, REQUEST, b"\x06040\r\n"]
        assert sent == refused + [REQUEST, b"\x060" + speed + b"0\r\n"] * 2

    asyncio.run(main())


def test_a_line_that_cannot_take_the_first_speed_is_given_up(clock: Clock) -> None:
    async def main() -> None:
        port = RefusingLine(D0Wire([meter()]), clock)
        port.fastest = 0
        with pytest.raises(SourceError):
            await Poll(poll_d0(port), port).run(10)
        assert not port.wire.written

    asyncio.run(main())
