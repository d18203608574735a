"""Our side of a D0 line: sends messages, removes their echo, and turns received bytes into events."""

from collections import deque

from iskra_server.codecs.conversation import Send, Speed
from iskra_server.codecs.d0.frames import D0Message, Frames
from iskra_server.codecs.d0.speeds import START_BAUD
from iskra_server.codecs.text.parity import SEVEN_BITS, with_parity
from iskra_server.meter.reading import Fault

# start bit, seven bits, parity, stop bit
BITS = 10

# an identification, a message, damage
Event = str | D0Message | Fault


class D0Line:
    """`last_byte_s` is when the last byte arrived; `is_echoed` says whether the last message came back.

    `can_switch` is False where the line stays at `baud`; `refused` are speeds that it cannot take.
    """

    def __init__(self, baud: int = START_BAUD, *, can_switch: bool = True) -> None:
        self.baud = self._start_baud = baud
        self.can_switch = can_switch
        self.refused: set[int] = set()
        self.last_byte_s = 0.0
        self.is_echoed = False
        self.steps: deque[Send | Speed] = deque((Speed(baud),))
        self._frames = Frames()
        self._ident = ""
        # an optical head in front of a reflecting window and a one-wire adapter echo every message
        self._echo = b""
        self._held = b""

    @property
    def pending(self) -> int:
        """Bytes of an incomplete message."""
        return self._frames.pending

    def send(self, message: bytes) -> float:
        """Queue a message; returns the seconds that it takes."""
        self.steps.append(Send(with_parity(message)))
        self._echo, self._held, self.is_echoed = message, b"", False
        return len(message) * BITS / self.baud

    def switch(self, baud: int) -> None:
        if self.can_switch and baud != self.baud:
            self.baud = baud
            self.steps.append(Speed(baud))

    def refuse(self, baud: int) -> bool:
        """See `Conversation`: a line that cannot take the speed at which it starts is of no use."""
        self.refused.add(baud)
        self.baud = self._start_baud
        return baud != self._start_baud

    def feed(self, data: bytes, now_s: float) -> None:
        if data:
            self.last_byte_s = now_s
        self._frames.feed(self._without_echo(data))

    def next(self) -> Event | None:
        """The next event, or None."""
        event = self._frames.next()
        if event is None and self._frames.ident != self._ident:
            self._ident = self._frames.ident
            return self._ident or None
        if event is not None:
            self._ident = self._frames.ident
        return event

    def discard(self) -> int:
        """Discard an incomplete message; returns its length in bytes."""
        pending = self._frames.pending
        self._frames, self._ident = Frames(), ""
        return pending

    def _without_echo(self, data: bytes) -> bytes:
        """The bytes without an exact echo of the last message, whatever their parity bits."""
        if not self._echo:
            return data
        held = self._held + data
        text = held.translate(SEVEN_BITS)
        if text.startswith(self._echo):
            self.is_echoed = True
            rest, self._echo, self._held = held[len(self._echo) :], b"", b""
            return rest
        if self._echo.startswith(text):
            self._held = held
            return b""
        self._echo, self._held = b"", b""
        return held
