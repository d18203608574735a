"""One side of a D0 line: what is sent, its echo, and what the meter says, as events."""

from collections import deque

from iskra_server.codecs.conversation import Send, Speed
from iskra_server.codecs.d0.frames import Frames, Message
from iskra_server.codecs.d0.speeds import START_BAUD
from iskra_server.codecs.text.parity import SEVEN_BITS, with_parity
from iskra_server.meter.reading import Fault

# start bit, seven bits, parity, stop bit
BITS = 10

# an identification, a message, damage
Heard = str | Message | Fault


class Line:
    """`heard_s` is when the last byte arrived; `is_echoed` tells of what was sent last."""

    def __init__(self, baud: int = START_BAUD) -> None:
        self.baud = baud
        self.heard_s = 0.0
        self.is_echoed = False
        self.steps: deque[Send | Speed] = deque((Speed(baud),))
        self._frames = Frames()
        self._ident = ""
        # an optical head with a reflecting window, and a line of one wire, give back what was sent
        self._echo = b""
        self._held = b""

    @property
    def pending(self) -> int:
        """How many bytes of a message have arrived that is not complete."""
        return self._frames.pending

    def send(self, message: bytes) -> float:
        """Send characters; how many seconds they take."""
        self.steps.append(Send(with_parity(message)))
        self._echo, self._held, self.is_echoed = message, b"", False
        return len(message) * BITS / self.baud

    def last_words(self, message: bytes) -> bytes:
        """Characters as the port sends them, behind which the line is closed."""
        return with_parity(message)

    def switch(self, baud: int) -> None:
        if baud != self.baud:
            self.baud = baud
            self.steps.append(Speed(baud))

    def feed(self, data: bytes, now_s: float) -> None:
        self.heard_s = now_s
        self._frames.feed(self._without_echo(data))

    def next(self) -> Heard | None:
        """The next event in what has arrived."""
        found = self._frames.next()
        if found is None and self._frames.ident != self._ident:
            self._ident = self._frames.ident
            return self._ident or None
        if found is not None:
            self._ident = self._frames.ident
        return found

    def forget(self) -> int:
        """Give up what is not complete; how many bytes that was."""
        pending = self._frames.pending
        self._frames, self._ident = Frames(), ""
        return pending

    def _without_echo(self, data: bytes) -> bytes:
        """What is not the exact repetition of what was sent last, parity aside."""
        if not self._echo:
            return data
        held = self._held + data
        heard = held.translate(SEVEN_BITS)
        if heard.startswith(self._echo):
            self.is_echoed = True
            rest, self._echo, self._held = held[len(self._echo) :], b"", b""
            return rest
        if self._echo.startswith(heard):
            self._held = held
            return b""
        self._echo, self._held = b"", b""
        return held
