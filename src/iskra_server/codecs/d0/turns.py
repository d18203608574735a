"""Steps of a D0 conversation as generators. Each yields the time until which it waits and is sent the next event.

None instead of an event means that this time has come. Every wait has a timeout, so a lost character cannot block a
conversation.
"""

from collections.abc import Generator
from typing import TypeVar

from iskra_server.codecs.d0.encoder import option_select
from iskra_server.codecs.d0.line import BITS, D0Line, Event
from iskra_server.codecs.d0.speeds import Learned, baud
from iskra_server.meter.reading import Fault, Reading

# from the end of a message to the first character of the answer, and between two characters (IEC 62056-21, 6.3.14)
REACTION_S = 1.5
# USB adapters and bridges hand characters over late
SLACK_S = 0.5
PAUSE_S = 2.0
# a meter that missed the acknowledgement sends a full list at 300 baud for 317 s
_MAX_NOISE_S = 600.0
# the longest identification or register answer, in characters
SHORT = 128
# 20 % more time than the speed of the line needs
_SLOWER = 1.2

_T = TypeVar("_T")
Turn = Generator[float, Event | None, _T]


class Turns:
    """The state of a conversation: the line, the time, and the results that were not handed over yet."""

    def __init__(self, line: D0Line, now_s: float) -> None:
        self.line = line
        self.now_s = now_s
        self.results: list[Reading | Fault] = []

    def send(self, message: bytes) -> Turn[float]:
        """Send a message; returns when its last bit has left. Computed, because drivers do not tell it reliably."""
        # `due` resumes here and writes at once, so that the computed time begins at the write
        yield from self.wait(self.now_s)
        return self.now_s + self.line.send(message)

    def wait(self, until_s: float) -> Turn[None]:
        """Wait until then and ignore every event."""
        while (yield until_s) is not None:
            pass

    def receive(self, until_s: float, longest: int = SHORT) -> Turn[Event | None]:
        """The next event, or None on timeout. A message that has begun in time may end later; a gap cuts it.

        `longest` is the maximum number of characters of the message.
        """
        limit_s = until_s + _SLOWER * longest * BITS / self.line.baud
        while True:
            event = yield until_s
            if event is not None:
                return event
            until_s = min(self.line.last_byte_s + REACTION_S, limit_s)
            if not self.line.pending or until_s <= self.now_s:
                break
        lost = self.line.discard()
        if lost:
            self.results.append(Fault("cut", "nothing followed inside this message", lost))
        return None

    def wait_for_silence(self) -> Turn[bool]:
        """Wait until nothing has arrived for PAUSE_S; False where something arrives all the time."""
        until_s, limit_s = self.now_s + PAUSE_S, self.now_s + _MAX_NOISE_S
        while self.now_s < min(until_s, limit_s):
            yield min(until_s, limit_s)
            until_s = max(until_s, self.line.last_byte_s + PAUSE_S)
        self.line.discard()
        return until_s <= limit_s

    def acknowledge(self, attempt: Learned, mode: str) -> Turn[float]:
        """Acknowledge an identification and switch the line; returns the time by which the answer must begin."""
        sent_s = yield from self.send(option_select(attempt.speed, mode))
        if baud(attempt.speed) == self.line.baud:
            return sent_s + REACTION_S + SLACK_S
        yield from self.wait(sent_s + attempt.delay_s)
        self.line.switch(baud(attempt.speed))
        return self.now_s + REACTION_S + SLACK_S
