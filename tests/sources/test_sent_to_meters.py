"""The log of everything ever sent: whatever the line does, a meter receives nothing but the messages of a poll."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import NamedTuple

import pytest

import telegrams
from d0meter import meter
from iskra_server.codecs.d0.encoder import ACK, BREAK, NAK
from iskra_server.codecs.d0.speeds import Learned
from iskra_server.simulator.d0_meter import D0Meter
from iskra_server.simulator.d0_wire import D0Wire
from iskra_server.sources.errors import SourceError
from iskra_server.sources.polled import poll_d0
from iskra_server.sources.watched_line import WatchedLine
from sources.polling import Clock, Poll, WireLine, messages

# it answers single registers without a password
ME162 = "ISK5ME162-0033"
LINES = [
    "0.0.0(63000199)",
    "1.7.0(00.908*kW)",
    "1.8.0(0033402.264*kWh)",
    "1.8.1(0033402.264*kWh)",
    "2.8.0(0000010.120*kWh)",
    "31.7.0(001.20*A)",
    "1.8.0*01(0033000.000*kWh)",
    "F.F(00000000)",
]
REGISTERS = {
    "1.7.0": "(00.909*kW)",
    "1.8.0": "(0033402.265*kWh)",
    "2.8.0": "(0000010.120*kWh)",
    "31.7.0": "(ERROR)",
}
CODES = frozenset(line.partition("(")[0].encode() for line in LINES if "*01" not in line)


class Scenario(NamedTuple):
    """`change` is what happens to the line or the meter in each hour."""

    make: Callable[[], D0Meter]
    change: Callable[[D0Wire, int], None] = lambda wire, hour: None
    address: str = ""
    can_switch: bool = True
    learned: Learned | None = None
    has_readings: bool = True


def _echo(wire: D0Wire, hour: int) -> None:
    wire.is_echoed = True


def _lose(wire: D0Wire, hour: int) -> None:
    wire.lost = 0.002 * hour


def _deaf_at_times(wire: D0Wire, hour: int) -> None:
    wire.is_deaf, wire.is_echoed = hour % 3 == 1, hour % 2 == 1


def _exchange(wire: D0Wire, hour: int) -> None:
    """Another adapter, and another meter."""
    wire.meters[0].gap_s = (0.2, 0.03, 0.02, 1.4)[hour % 4]
    wire.meters[0].ident = ("ISk5MT174-0001", "LGZ4ZMD310", "ABC3", "ISK0")[hour % 4]


def _leave_in_programming_mode(wire: D0Wire, hour: int) -> None:
    wire.meters[0].is_programming, wire.meters[0].baud = True, 9600


def _damage(wire: D0Wire, hour: int) -> None:
    random = Random(hour)

    def flip(data: bytes) -> bytes:
        place = random.randrange(len(data))
        return data[:place] + bytes((data[place] ^ 1 << random.randrange(8),)) + data[place + 1 :]

    wire.meters[0].damage = flip if hour % 2 else bytes


SCENARIOS = {
    "a good line": Scenario(lambda: meter(ME162, LINES, registers=REGISTERS)),
    "an echo": Scenario(lambda: meter(ME162, LINES, registers=REGISTERS), _echo),
    "lost bytes": Scenario(lambda: meter(ME162, LINES, registers=REGISTERS), _lose),
    "damaged messages": Scenario(lambda: meter(ME162, LINES, registers=REGISTERS, blocks=4), _damage),
    "a head that falls off": Scenario(lambda: meter(ME162, LINES, registers=REGISTERS), _deaf_at_times),
    "adapters and meters that change": Scenario(lambda: meter(lines=LINES), _exchange),
    "programming mode of an earlier reader": Scenario(
        lambda: meter(ME162, LINES, registers=REGISTERS), _leave_in_programming_mode, learned=Learned("5")
    ),
    "no programming mode": Scenario(lambda: meter(ME162, LINES)),
    "blocks": Scenario(lambda: meter(lines=LINES, blocks=5)),
    "mode A": Scenario(lambda: meter("ISK@OLD", LINES)),
    "mode B": Scenario(lambda: meter("ISKEOLD", LINES)),
    "a line of fixed speed": Scenario(lambda: meter(lines=LINES), can_switch=False),
    "an address": Scenario(lambda: meter(ME162, LINES, registers=REGISTERS, address="42"), address="42"),
    "another address": Scenario(lambda: meter(lines=LINES, address="41"), address="42", has_readings=False),
}


def _is_programming(sent: list[bytes]) -> bool:
    """Whether programming mode was asked for, and not left since."""
    last = next((message for message in reversed(sent) if message == BREAK or message.endswith(b"1\r\n")), b"")
    return last.startswith(b"\x060")


@pytest.mark.parametrize("name", SCENARIOS)
def test_only_the_messages_of_a_poll_are_sent(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario, clock, random = SCENARIOS[name], Clock(monkeypatch), Random(name)
    virtual = scenario.make()
    wire = D0Wire([virtual])
    readings = 0

    async def read_for(seconds: float) -> None:
        """Cancelled at any moment, as a reader is."""
        nonlocal readings
        port = WireLine(wire, clock)
        line = poll_d0(port, address=scenario.address, can_switch=scenario.can_switch, learned=scenario.learned)
        poll = Poll(line, port)
        await poll.run(seconds)
        readings += len(poll.readings)
        before = list(messages(wire))
        await line.close()
        if _is_programming(before):
            assert list(messages(wire)) == [*before, BREAK]

    async def main() -> None:
        for hour in range(4):
            scenario.change(wire, hour)
            await read_for(random.uniform(0.1, 20.0))
            await read_for(random.uniform(60.0, 300.0))

    asyncio.run(main())
    assert bool(readings) == scenario.has_readings
    for message in messages(wire):
        if message.startswith(b"/"):
            assert message == b"/?" + scenario.address.encode() + b"!\r\n"
        if message.startswith(b"\x01R1"):
            assert message[4:].partition(b"(")[0] in CODES
        assert message not in (ACK, NAK) or virtual.blocks > 1


def sml_at_300_baud(telegram: bytes) -> bytes:
    """What a port at 300 baud has of a telegram that is sent at 9600: a byte for every 32."""
    return telegram[::32]


class MovedHead(WireLine):
    """From `moved_s` on the head is on a meter that sends SML every second, and is not heard by the D0 meter."""

    moved_s = float("inf")

    async def read_until(self, at_s: float) -> bytes:
        start_s = self.clock.now_s
        next_s = max(self.moved_s, start_s - (start_s - self.moved_s) % 1.0 + 1.0)
        if next_s > min(at_s, self.until_s):
            return await super().read_until(at_s)
        self.wire.is_deaf = True
        await super().read_until(next_s)
        telegram = telegrams.telegram()
        return telegram if self.settings.baud == 9600 else sml_at_300_baud(telegram)


@pytest.mark.parametrize("registers", [None, REGISTERS], ids=["readouts", "single registers"])
def test_nothing_is_requested_where_another_meter_was_heard(
    registers: dict[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head that is moved at any moment of a poll to a meter that sends SML."""

    async def moved_after(seconds: float) -> None:
        clock = Clock(monkeypatch)
        wire = D0Wire([meter(ME162, LINES, registers=registers)])
        port = MovedHead(wire, clock)
        line = poll_d0(port)
        assert await line.ask()
        watched, poll = WatchedLine(line), Poll(line, port)
        await poll.run(15.0, lambda: len(poll.readings) == 2)
        assert poll.readings
        port.moved_s, port.until_s = clock.now_s + seconds, clock.now_s + 1000.0
        with pytest.raises(SourceError) as caught:
            while True:
                await watched.read()
        assert caught.value.problem == "noise"
        heard_s = clock.now_s
        await watched.close()
        list(messages(wire))
        assert [written for written in wire.written if written.at_s >= heard_s] == []
        # only what ends a poll that was under way, whose answer may still have come
        late = [written.data for written in wire.written if written.at_s > port.moved_s + 1.0]
        assert set(late) <= {BREAK}, late

    for tenths in range(0, 130, 3):
        asyncio.run(moved_after(tenths / 10))
