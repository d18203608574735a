"""The conversation with a D0 meter that is asked (IEC 62056-21, 6 and annex A): pure, the clock is given in.

    we      /?! CR LF                               at 300 baud
    meter   /XXXZ ident CR LF
    we      ACK 0 Z 0 CR LF                         mode C; both switch to the speed of Z
    meter   STX readout ETX BCC                     or blocks that end EOT, each acknowledged
    we      ACK 0 Z 1, then SOH R1 STX code() ...   registers one by one, of meters that are known to answer
    we      SOH B0 ETX BCC                          out of programming mode, on every way out

Nothing else is ever sent. An attempt that fails is followed by another one, with another delay or a lower speed,
behind two seconds of silence; after three polls that fail the interval doubles. A meter that speaks unasked is
listened to from then on and never asked again.
"""

from collections.abc import Iterator
from typing import Literal

from iskra_server.codecs.conversation import Send, Speed
from iskra_server.codecs.d0 import encoder
from iskra_server.codecs.d0.blocks import Blocks, damage
from iskra_server.codecs.d0.frames import EOT, MAX_READOUT, Message
from iskra_server.codecs.d0.line import Line
from iskra_server.codecs.d0.registers import Registers
from iskra_server.codecs.d0.speeds import START_BAUD, Learned, attempts, baud, mode
from iskra_server.codecs.d0.turns import PAUSE_S, REACTION_S, SLACK_S, Turn, Turns
from iskra_server.meter.reading import Fault, Reading

# from a request to the identification: sluggish heads, USB
ANSWER_S = 2.5
# a meter that is not acknowledged sends its readout by itself
UNACKNOWLEDGED_S = 2.2
SHORT_LIST_S, LONG_LIST_S, LONGEST_INTERVAL_S = 10.0, 60.0, 600.0
_LONG_LIST = 2048
_PATIENT_POLLS = 3
_MOST_REPEATS = 2
# a request has one readout at most, and that may be late
_PUSHES = 2
# a meter leaves programming mode by itself after a minute
_LONGEST_IN_PROGRAMMING_S = 30.0
_REGISTERS_S = 2.0

Outcome = Literal["", "read", "silent", "echo", "damaged", "pushed"]


class Session:
    """One for each meter; those of one line are asked one after the other, by their addresses.

    `interval_s` is the time from poll to poll; where it is None it follows from the length of the list. `learned` is
    what has worked on this port, to begin with; `can_switch` is False for a line that stays at `start_baud`.
    `outcome` tells of the last poll.
    """

    def __init__(
        self,
        now_s: float,
        *,
        address: str = "",
        interval_s: float | None = None,
        learned: Learned | None = None,
        can_switch: bool = True,
        start_baud: int = START_BAUD,
    ) -> None:
        self.learned = learned
        self.outcome: Outcome = ""
        self._request = encoder.request(address)
        self._interval_s = interval_s
        self._can_switch = can_switch
        self._start_baud = start_baud
        self._line = Line(start_baud)
        self._turns = Turns(self._line, now_s)
        self._blocks = Blocks()
        self._registers = Registers()
        # from the identification to the end of what it led to
        self._is_open = False
        self._attempt = 0
        self._failures = 0
        self._is_broken_off = False
        self._list_length = 0
        self._unasked = 0
        self._talk = self._run()
        self._wakes_at_s = next(self._talk)

    @property
    def wakes_at_s(self) -> float:
        return self._wakes_at_s

    @property
    def pending(self) -> int:
        """Bytes held back, waiting for the rest of a message."""
        return self._line.pending

    def due(self, now_s: float) -> Iterator[Send | Speed]:
        """What is to be done now, also where `wakes_at_s` is not reached yet."""
        self._turns.now_s = now_s
        while now_s >= self._wakes_at_s:
            self._wakes_at_s = self._talk.send(None)
        while self._line.steps:
            yield self._line.steps.popleft()

    def feed(self, data: bytes, now_s: float) -> Iterator[Reading | Fault]:
        """Everything that a chunk completes, and the damage since the last one."""
        self._turns.now_s = now_s
        while self._wakes_at_s < now_s:
            self._wakes_at_s = self._talk.send(None)
        self._line.feed(data, now_s)
        while (heard := self._line.next()) is not None:
            if isinstance(heard, Fault):
                self._turns.results.append(heard)
            else:
                self._wakes_at_s = self._talk.send(heard)
        results, self._turns.results = self._turns.results, []
        return iter(results)

    def close(self) -> bytes:
        """B0 where a meter is in the middle of something; then nothing is asked any more."""
        self._talk.close()
        self._wakes_at_s = float("inf")
        self._line.steps.clear()
        is_open, self._is_open = self._is_open, False
        return self._line.last_words(encoder.BREAK) if is_open else b""

    def _run(self) -> Turn[None]:
        yield from self._turns.wait(self._turns.now_s)
        while self.outcome != "pushed":
            began_s = self._turns.now_s
            self.outcome = yield from self._poll()
            self._is_open = False
            self._line.switch(self._start_baud)
            if self.outcome == "read":
                self._failures, self._is_broken_off = 0, False
            elif self.outcome == "damaged" and self._attempt:
                # the next one of several attempts
                yield from self._turns.silence()
                continue
            else:
                self._failures += 1
            yield from self._idle(began_s + self._interval(self._turns.now_s - began_s))
        while True:
            yield from self._idle(self._turns.now_s + LONGEST_INTERVAL_S)

    def _interval(self, took_s: float) -> float:
        usual_s = self._interval_s or (LONG_LIST_S if self._list_length > _LONG_LIST else SHORT_LIST_S)
        if self._failures >= _PATIENT_POLLS:
            doubled = usual_s * 2 ** min(self._failures - _PATIENT_POLLS + 1, 10)
            usual_s = max(usual_s, min(doubled, LONGEST_INTERVAL_S))
        return max(took_s + PAUSE_S, 2 * took_s, usual_s)

    def _idle(self, until_s: float) -> Turn[None]:
        """Nobody is asked until then; what comes nevertheless was pushed."""
        while self._turns.now_s < until_s:
            heard = yield until_s
            if isinstance(heard, Message) and self._receive(heard):
                self._unasked += 1
                if self._unasked >= _PUSHES:
                    self.outcome = "pushed"
        if self.outcome != "pushed":
            self._line.forget()

    def _poll(self) -> Turn[Outcome]:
        if self.outcome in ("silent", "echo") and self.learned and not self._is_broken_off:
            yield from self._break_off(self.learned)
        sent_s = yield from self._turns.say(self._request)
        self._unasked = 0
        ident = yield from self._turns.hear(sent_s + ANSWER_S)
        if not isinstance(ident, str):
            if isinstance(ident, Message) and self._receive(ident):
                self._unasked += 1
                return "read"
            return "echo" if self._line.is_echoed else "silent"
        self._is_open = True
        if self._registers.codes and self._registers.ident == ident:
            return (yield from self._program(ident))
        way = mode(ident)
        if way.letter == "C":
            return (yield from self._acknowledged(ident))
        self._line.switch(way.baud)
        return (yield from self._readout(ident, self._turns.now_s + UNACKNOWLEDGED_S + REACTION_S))

    def _break_off(self, learned: Learned) -> Turn[None]:
        """A meter that is left in programming mode is deaf for a minute: B0, once, at the speed it would have."""
        self._is_broken_off = True
        self._line.switch(baud(learned.speed or "0"))
        sent_s = yield from self._turns.say(encoder.BREAK)
        yield from self._turns.wait(sent_s + SLACK_S)
        self._line.switch(self._start_baud)
        yield from self._turns.silence()

    def _acknowledged(self, ident: str) -> Turn[Outcome]:
        ways = attempts(ident, self.learned, can_switch=self._can_switch)
        way = ways[self._attempt % len(ways)]
        if way.speed:
            until_s = yield from self._turns.acknowledge(way, encoder.READOUT)
        else:
            until_s = self._turns.now_s + UNACKNOWLEDGED_S + REACTION_S
        outcome = yield from self._readout(ident, until_s)
        if outcome == "read":
            self.learned, self._attempt = way, 0
        else:
            self._attempt = (self._attempt + 1) % len(ways)
        return outcome

    def _readout(self, ident: str, until_s: float) -> Turn[Outcome]:
        repeats = 0
        self._blocks.begin()
        while True:
            heard = yield from self._turns.hear(until_s, MAX_READOUT)
            if heard is None:
                return "damaged"
            if not isinstance(heard, Message) or heard.command:
                continue
            problem = damage(heard)
            if problem and (heard.end == EOT or self._blocks.has_begun) and repeats < _MOST_REPEATS:
                repeats += 1
                sent_s = yield from self._turns.say(encoder.NAK)
            elif heard.end == EOT and not problem:
                repeats = 0
                self._receive(heard)
                sent_s = yield from self._turns.say(encoder.ACK)
            else:
                return self._received(ident, heard, is_good=not problem)
            until_s = sent_s + REACTION_S + SLACK_S

    def _received(self, ident: str, message: Message, *, is_good: bool) -> Outcome:
        reading = self._receive(message)
        if reading:
            self._list_length = reading.byte_count
            self._registers.learn(ident, reading)
        return "read" if is_good else "damaged"

    def _receive(self, message: Message) -> Reading | None:
        """What a message completes is a result; the reading if it is one."""
        result = self._blocks.add(message)
        if result is not None:
            self._turns.results.append(result)
        return result if isinstance(result, Reading) else None

    def _program(self, ident: str) -> Turn[Outcome]:
        """Registers one by one until one is not answered; behind that, a readout comes first again."""
        way = next(way for way in attempts(ident, self.learned, can_switch=self._can_switch))
        until_s = yield from self._turns.acknowledge(way if way.speed else Learned("0"), encoder.PROGRAMMING)
        answer = yield from self._answer(until_s, "P0")
        has_read = False
        if answer is not None:
            while (yield from self._read_registers()):
                has_read, self.outcome = True, "read"
                interval_s = self._interval_s or _REGISTERS_S
                if interval_s > _LONGEST_IN_PROGRAMMING_S:
                    break
                yield from self._turns.wait(self._turns.now_s + interval_s)
            else:
                self._registers.leave()
        else:
            self._registers.leave()
        sent_s = yield from self._turns.say(encoder.BREAK)
        yield from self._turns.wait(sent_s + SLACK_S)
        return "read" if has_read else "damaged"

    def _read_registers(self) -> Turn[bool]:
        answers: dict[str, str] = {}
        for code in self._registers.codes:
            sent_s = yield from self._turns.say(encoder.read_register(code))
            answer = yield from self._answer(sent_s + REACTION_S + SLACK_S)
            if answer is None:
                return False
            answers[code] = answer
        reading = self._registers.reading(answers)
        if reading:
            self._turns.results.append(reading)
        return reading is not None

    def _answer(self, until_s: float, command: str = "") -> Turn[str | None]:
        """The text of the next message that is such a command, or none; None where it is damaged or does not come."""
        while (heard := (yield from self._turns.hear(until_s))) is not None:
            if isinstance(heard, Message) and heard.command == command:
                return None if damage(heard) else heard.text
        return None
