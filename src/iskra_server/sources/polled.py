"""A meter that waits for requests: a line on which a conversation is held (codecs/conversation.py).

The conversation is pure: it says what to send, when to change the speed, and when to ask it again. This line does so in
time, also when nothing arrives, feeds it everything that does, and ends it before the port closes.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from iskra_server.base.address import Address
from iskra_server.codecs.conversation import Send
from iskra_server.meter.reading import Fault, Reading
from iskra_server.sources.errors import SourceError
from iskra_server.sources.reconnect import Line, Reconnecting, Report, WritableLine
from iskra_server.sources.serial import device_state, open_serial
from iskra_server.sources.shared_line import SharedLine, open_shared, shared_name
from iskra_server.sources.source import FormatProblem, LineErrors, LineSettings, SourceState, plain_problem
from iskra_server.sources.tcp import bridge_source, tcp_source

if TYPE_CHECKING:
    from iskra_server.codecs.d0.session import D0Session
    from iskra_server.codecs.d0.speeds import Learned

START_BAUD = 300
# at most so many wake-ups a second while a readout arrives; answers are late by as much
_PAUSE_S = 0.02
# bytes so soon after an answer belong to it: a line end, a flicker of the head
_TRAILING_S = 0.5
# after the computed end of the last message: the FIFO of an adapter
_SLACK_S = 0.1
_BITS = 10

log = logging.getLogger("iskra_server.sources")


class PolledLine(Line):
    """A line with a conversation. Owns the line: close this one, also after a failed `ask`, unless you `release` it.

    `stops_when_unasked`: bytes that arrive while nothing was requested end the conversation, and nothing is sent any
    more: a meter that sends by itself is there, or noise. Then `was_unasked` is True.
    """

    stops_when_unasked = False
    was_unasked = False

    def __init__(
        self, line: WritableLine, session: "D0Session", on_learned: Callable[["Learned"], None] = lambda _: None
    ) -> None:
        self.port = line.port
        self._line = line
        self._session = session
        self._on_learned = on_learned
        self._learned = session.learned
        self._outcome = session.outcome
        self._results: list[Reading | Fault] = []
        self._asked = b""
        self._busy_until_s = 0.0
        # when something was requested last
        self._active_s = 0.0

    async def ask(self, patience_s: float = 0.0) -> bool:
        """Whether a meter answers the first request, or one of those within `patience_s`, which unasked bytes end.

        What arrives meanwhile is read afterwards.
        """
        session, until_s, self.stops_when_unasked = self._session, time.monotonic() + patience_s, True
        while not (session.is_open or self.was_unasked) and (not session.outcome or time.monotonic() < until_s):
            self._asked += await self._receive()
        return session.is_open or session.outcome in ("read", "pushed")

    @property
    def is_answered(self) -> bool:
        """Whether a meter has identified itself and its answer is not over yet."""
        return self._session.is_open

    def release(self) -> bytes:
        """End a conversation that nobody answered; the caller owns the line again. Returns what has arrived."""
        self._session.close()
        return self._asked

    async def read(self) -> bytes:
        """Returns b"" where results or a new outcome of a poll came without a byte."""
        if self._asked:
            data, self._asked = self._asked, b""
            return data
        while True:
            outcome = self._session.outcome
            data = await self._receive()
            if data or self._results or self._session.outcome != outcome:
                return data

    def errors(self) -> LineErrors | None:
        return self._line.errors()

    def results(self) -> tuple[Reading | Fault, ...]:
        results, self._results = self._results, []
        return tuple(results)

    def state(self) -> SourceState:
        session = self._session
        return replace(self._line.state(), protocol="d0", poll=session.outcome, interval_s=session.planned_s)

    async def close(self) -> None:
        """Ends an open session with B0; waits until it has left."""
        try:
            if last := self._session.close():
                self._write(last)
                await asyncio.sleep(self._busy_until_s + _SLACK_S - time.monotonic())
        except SourceError:
            # unplugged
            pass
        finally:
            await self._line.close()

    async def _receive(self) -> bytes:
        """What arrives until the conversation must go on, and everything that is due then."""
        data = await self._line.read_until(self._session.wakes_at_s)
        now_s = time.monotonic()
        is_active = not self._session.is_idle
        if data and self.stops_when_unasked and not is_active and now_s > self._active_s + _TRAILING_S:
            self.was_unasked = True
            # without a B0 to a meter in programming mode, which may be another one now
            self._session.close()
            return data
        # bytes that were waiting while the event loop was late have arrived before this time
        results = self._session.feed(data, min(now_s, self._session.wakes_at_s))
        self._results += results
        for step in self._session.due(now_s):
            if isinstance(step, Send):
                self._write(step.data)
            else:
                await self._set_speed(step.baud)
        # faults that a time limit has completed
        self._results += self._session.feed(b"", now_s)
        if is_active or not self._session.is_idle:
            self._active_s = now_s
        if self._session.learned and self._session.learned != self._learned:
            self._learned = self._session.learned
            self._on_learned(self._learned)
        if data:
            await asyncio.sleep(min(_PAUSE_S, max(self._session.wakes_at_s - now_s, 0.0)))
        return data

    async def _set_speed(self, baud: int) -> None:
        try:
            await self._line.set_speed(baud)
        except SourceError as error:
            # not every adapter has every speed
            if error.problem != "unusable" or not self._session.refuse(baud):
                raise

    def _write(self, data: bytes) -> None:
        self._line.write(data)
        baud = self._line.settings.baud
        self._busy_until_s = time.monotonic() + len(data) * _BITS / baud
        log.debug("%s: sent %s at %d baud", self.port, _readable(data), baud)


class PolledInTurns(PolledLine):
    """One of several meters on a line: it is read and written only while this meter is polled."""

    def __init__(
        self, line: SharedLine, session: "D0Session", on_learned: Callable[["Learned"], None] = lambda _: None
    ) -> None:
        super().__init__(line, session, on_learned)
        self._shared_line = line

    async def _receive(self) -> bytes:
        if not self._shared_line.has_turn:
            await self._shared_line.begin_turn(self._session.wakes_at_s)
        data = await super()._receive()
        if self._session.is_idle:
            self._shared_line.end_turn()
        return data


def poll_d0(
    line: WritableLine,
    *,
    address: str = "",
    interval_s: float | None = None,
    learned: "Learned | None" = None,
    on_learned: Callable[["Learned"], None] = lambda _: None,
    can_switch: bool = True,
    start_baud: int = START_BAUD,
) -> PolledLine:
    """Begin to poll a D0 meter on an open line; the first request leaves at the first `ask` or `read`.

    `address` is that of one of several meters on an RS-485 line. `interval_s` is the time between polls, None chooses
    it by the length of the list. `learned` are the settings that worked on this port before; `on_learned` is called
    with others that work. `can_switch` is False where the line stays at `start_baud`.
    """
    # imported where a meter is polled: most readers need SML alone
    from iskra_server.codecs.d0.session import D0Session  # noqa: PLC0415

    session = D0Session(
        time.monotonic(),
        address=address,
        interval_s=interval_s,
        learned=learned,
        can_switch=can_switch,
        start_baud=start_baud,
    )
    if isinstance(line, SharedLine):
        return PolledInTurns(line, session, on_learned)
    return PolledLine(line, session, on_learned)


def d0_source(
    url: str,
    path: str,
    *,
    address: str = "",
    baud: int = START_BAUD,
    interval_s: float | None = None,
    learned: Callable[[], "Learned | None"] = lambda: None,
    on_learned: Callable[["Learned"], None] = lambda _: None,
    format_problem: FormatProblem = plain_problem,
) -> Reconnecting:
    """A serial port with a D0 meter that is polled from the first moment: nothing else is searched for.

    With an address, it shares the port with the other meters that are polled there. A line of RS-485 may have another
    `baud` than 300 from the start.
    """
    port = shared_name(path, address)

    async def connect(_: Report) -> PolledLine:
        line = await (open_shared(path, port, baud) if address else open_serial(path, baud))
        return poll_d0(
            line,
            address=address,
            interval_s=interval_s,
            learned=learned(),
            on_learned=on_learned,
            start_baud=baud,
        )

    source = Reconnecting(
        url=url, port=port, connect=connect, plugged=partial(device_state, path), format_problem=format_problem
    )
    source.state = SourceState(port, is_open=False, line=LineSettings(baud), protocol="d0")
    return source


def d0_bridge_source(
    url: str | Address,
    *,
    interval_s: float | None = None,
    learned: Callable[[], "Learned | None"] = lambda: None,
    on_learned: Callable[["Learned"], None] = lambda _: None,
    baud: int = START_BAUD,
    format_problem: FormatProblem = plain_problem,
) -> Reconnecting:
    """A D0 meter behind `rfc2217://` or `esphome://`, or behind `tcp://`, whose far end is fixed at `baud`."""
    address = Address(url)
    is_raw = address.scheme == "tcp"

    def converse(line: WritableLine) -> PolledLine:
        return poll_d0(
            line,
            interval_s=interval_s,
            learned=learned(),
            on_learned=on_learned,
            can_switch=not is_raw,
            start_baud=baud,
        )

    source = tcp_source if is_raw else bridge_source
    return source(address, format_problem=format_problem, converse=converse, baud=baud)


def _readable(data: bytes) -> str:
    """A message of D0 without its parity bits, control characters by their names: <ACK>050<CR><LF>."""
    names = {1: "SOH", 2: "STX", 3: "ETX", 4: "EOT", 6: "ACK", 10: "LF", 13: "CR", 21: "NAK"}
    return "".join(f"<{names[byte]}>" if byte in names else chr(byte) for byte in (byte & 0x7F for byte in data))
