"""Turns of a D0 conversation as generators: each yields the time until which it waits, and is sent what was heard.

A turn that is sent None has waited long enough. Every wait has an end, so no lost character can hold a conversation up.
"""

from collections.abc import Generator
from typing import TypeVar

from iskra_server.codecs.d0.encoder import option_select
from iskra_server.codecs.d0.line import BITS, Heard, Line
from iskra_server.codecs.d0.speeds import Learned, baud
from iskra_server.meter.reading import Fault, Reading

# from the end of a message to the first character of the answer, and between two characters (IEC 62056-21, 6.3.14)
REACTION_S = 1.5
# USB adapters and bridges hand characters over late
SLACK_S = 0.5
PAUSE_S = 2.0
# a full list at 300 baud that nobody can read any more takes 317 s
_LONGEST_NOISE_S = 600.0
# an identification, a register
SHORT = 128
# than the speed of the line says
_SLOWER = 1.2

_T = TypeVar("_T")
Turn = Generator[float, Heard | None, _T]


class Turns:
    """What a conversation has: the line, the time, and what it has come to so far."""

    def __init__(self, line: Line, now_s: float) -> None:
        self.line = line
        self.now_s = now_s
        self.results: list[Reading | Fault] = []

    def say(self, message: bytes) -> Turn[float]:
        """Send characters; returns when the last one has left, by the clock: no driver tells that reliably."""
        # what is sent is made where it is sent, so that the time is that of the writing
        yield from self.wait(self.now_s)
        return self.now_s + self.line.send(message)

    def wait(self, until_s: float) -> Turn[None]:
        """Until then, whatever is heard."""
        while (yield until_s) is not None:
            pass

    def hear(self, until_s: float, longest: int = SHORT) -> Turn[Heard | None]:
        """The next event that begins by then, None for none. What was begun then is given up as cut.

        `longest` is how many characters may come before it.
        """
        limit_s = until_s + _SLOWER * longest * BITS / self.line.baud
        while True:
            heard = yield until_s
            if heard is not None:
                return heard
            until_s = min(self.line.heard_s + REACTION_S, limit_s)
            if not self.line.pending or until_s <= self.now_s:
                break
        lost = self.line.forget()
        if lost:
            self.results.append(Fault("cut", "nothing followed inside this message", lost))
        return None

    def silence(self) -> Turn[None]:
        """Until nothing was heard for PAUSE_S."""
        until_s, limit_s = self.now_s + PAUSE_S, self.now_s + _LONGEST_NOISE_S
        while self.now_s < min(until_s, limit_s):
            yield min(until_s, limit_s)
            until_s = max(until_s, self.line.heard_s + PAUSE_S)
        self.line.forget()

    def acknowledge(self, attempt: Learned, mode: str) -> Turn[float]:
        """Acknowledge an identification and switch the line; returns until when the answer must have begun."""
        sent_s = yield from self.say(option_select(attempt.speed, mode))
        if baud(attempt.speed) == self.line.baud:
            return sent_s + REACTION_S + SLACK_S
        yield from self.wait(sent_s + attempt.delay_s)
        self.line.switch(baud(attempt.speed))
        return self.now_s + REACTION_S + SLACK_S
