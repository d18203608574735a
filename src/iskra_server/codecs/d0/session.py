"""The conversation with a polled D0 meter (IEC 62056-21, 6 and annex A). Pure: the caller passes the time.

    we      /?! CR LF                               at 300 baud
    meter   /XXXZ ident CR LF
    we      ACK 0 Z 0 CR LF                         mode C; both switch to the speed of Z
    meter   STX readout ETX BCC                     or blocks that end EOT, each acknowledged
    we      ACK 0 Z 1, then SOH R1 STX code() ...   single registers, from models that answer without a password
    we      SOH B0 ETX BCC                          leaves programming mode, on every exit path

Nothing else is ever sent. After a failed attempt and 2 s of silence the next attempt uses another delay or a lower
speed. The poll after a failed one follows after RETRY_S; this doubles up to the interval, and from the third failure
on the interval doubles. A meter that pushes is never polled again.
"""

from collections.abc import Iterator
from typing import Literal

from iskra_server.codecs.conversation import Send, Speed
from iskra_server.codecs.d0 import encoder
from iskra_server.codecs.d0.blocks import Blocks, damage
from iskra_server.codecs.d0.frames import EOT, MAX_READOUT, D0Message
from iskra_server.codecs.d0.line import D0Line
from iskra_server.codecs.d0.registers import Registers
from iskra_server.codecs.d0.speeds import START_BAUD, Learned, attempts, baud, mode
from iskra_server.codecs.d0.turns import PAUSE_S, REACTION_S, SLACK_S, Turn, Turns
from iskra_server.codecs.text.parity import with_parity
from iskra_server.meter.reading import Fault, Reading

# from a request to the identification: sluggish heads, USB
ANSWER_S = 2.5
# a meter without an acknowledgement sends its readout by itself
UNACKNOWLEDGED_S = 2.2
SHORT_LIST_S, LONG_LIST_S, MAX_INTERVAL_S = 10.0, 60.0, 600.0
_LONG_LIST = 2048
_PATIENT_POLLS = 3
# from the beginning of the first failed poll to the next one; doubled each time
RETRY_S = 5.0
_MAX_REPEATS = 2
# a request yields one readout at most, perhaps late; a second one was pushed
_PUSHES = 2
# a meter leaves programming mode by itself after a minute
_MAX_IN_PROGRAMMING_S = 30.0
_REGISTERS_S = 2.0

Outcome = Literal["", "read", "silent", "echo", "damaged", "pushed"]


class D0Session:
    """One per meter. The owner of a line with several meters runs one session at a time, each with its address.

    `interval_s` is the time between polls; None chooses it by the length of the list. `learned` are the settings that
    worked on this port before. `can_switch` is False where the line stays at `start_baud`. `outcome` is the result of
    the last poll, `planned_s` the time from the beginning of a poll that is answered to that of the next one.
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
        self.planned_s: float | None = None
        self._address = address
        self._interval_s = interval_s
        self._start_baud = start_baud
        self._line = D0Line(start_baud, can_switch=can_switch)
        self._turns = Turns(self._line, now_s)
        self._blocks = Blocks()
        self._registers = Registers()
        # from the identification to the end of the readout or of programming mode
        self._is_open = False
        self._is_idle = True
        self._attempt = 0
        self._failures = 0
        self._break_sent = False
        self._list_length = 0
        self._pushed_readouts = 0
        self._turn = self._run()
        self._wakes_at_s = next(self._turn)

    @property
    def wakes_at_s(self) -> float:
        return self._wakes_at_s

    @property
    def is_open(self) -> bool:
        """From the identification to the end of the readout or of programming mode."""
        return self._is_open

    @property
    def is_idle(self) -> bool:
        """Whether it waits for the time of the next request: another session with an address may use the line."""
        return self._is_idle

    @property
    def pending(self) -> int:
        """Bytes held back, waiting for the rest of a message."""
        return self._line.pending

    def due(self, now_s: float) -> Iterator[Send | Speed]:
        """What to do now, in order."""
        self._turns.now_s = now_s
        while now_s >= self._wakes_at_s:
            self._wakes_at_s = self._turn.send(None)
        while self._line.steps:
            yield self._line.steps.popleft()

    def feed(self, data: bytes, now_s: float) -> list[Reading | Fault]:
        """Everything that this chunk completes, in order, and faults since the last call."""
        self._turns.now_s = now_s
        while self._wakes_at_s < now_s:
            self._wakes_at_s = self._turn.send(None)
        self._line.feed(data, now_s)
        while (event := self._line.next()) is not None:
            if isinstance(event, Fault):
                self._turns.results.append(event)
            else:
                self._wakes_at_s = self._turn.send(event)
        results, self._turns.results = self._turns.results, []
        return results

    def refuse(self, baud: int) -> bool:
        """See `Conversation`: the attempts begin again, without this speed."""
        self._attempt = 0
        return self._line.refuse(baud)

    def close(self) -> bytes:
        """B0 if the meter is in the middle of a session, else nothing. The session is over."""
        self._turn.close()
        self._wakes_at_s = float("inf")
        self._line.steps.clear()
        is_open, self._is_open = self._is_open, False
        return with_parity(encoder.BREAK) if is_open else b""

    def _run(self) -> Turn[None]:
        yield from self._turns.wait(self._turns.now_s)
        while self.outcome != "pushed":
            began_s, self._is_idle = self._turns.now_s, False
            self.outcome = yield from self._poll()
            self._is_open = False
            self._line.switch(self._start_baud)
            if self.outcome == "read":
                self._failures, self._break_sent = 0, False
            elif self.outcome == "damaged" and self._attempt and (yield from self._turns.wait_for_silence()):
                # another attempt, at once
                continue
            else:
                self._failures += 1
            took_s = self._turns.now_s - began_s
            self.planned_s = self._interval(took_s)
            yield from self._idle(began_s + min(self.planned_s, self._retry_s(took_s)))
        while True:
            yield from self._idle(self._turns.now_s + MAX_INTERVAL_S)

    def _interval(self, took_s: float) -> float:
        usual_s = self._interval_s or (LONG_LIST_S if self._list_length > _LONG_LIST else SHORT_LIST_S)
        if self._failures >= _PATIENT_POLLS:
            doubled = usual_s * 2 ** min(self._failures - _PATIENT_POLLS + 1, 10)
            usual_s = max(usual_s, min(doubled, MAX_INTERVAL_S))
        return max(_least_s(took_s), usual_s)

    def _retry_s(self, took_s: float) -> float:
        """After a failed poll, so that a reading is not missing for a whole interval because one answer is.

        The delay doubles: a meter without an answer is asked a few times more in all, which a battery bears.
        """
        if not self._failures:
            return float("inf")
        return max(_least_s(took_s), RETRY_S * 2.0 ** min(self._failures - 1, 10))

    def _idle(self, until_s: float) -> Turn[None]:
        """Wait for the next poll. Readouts that arrive meanwhile were pushed."""
        self._is_idle = True
        while self._turns.now_s < until_s:
            event = yield until_s
            if isinstance(event, D0Message) and self._decode(event):
                self._pushed_readouts += 1
                if self._pushed_readouts >= _PUSHES:
                    self.outcome = "pushed"
        if self.outcome != "pushed":
            self._line.discard()

    def _poll(self) -> Turn[Outcome]:
        if self.outcome in ("silent", "echo") and self.learned and not self._break_sent:
            yield from self._leave_programming_mode(self.learned)
        sent_s = yield from self._turns.send(encoder.request(self._address))
        self._pushed_readouts = 0
        ident = yield from self._turns.receive(sent_s + ANSWER_S)
        if not isinstance(ident, str):
            if isinstance(ident, D0Message) and self._decode(ident):
                self._pushed_readouts += 1
                return "read"
            return "echo" if self._line.is_echoed else "silent"
        self._is_open = True
        if self._registers.codes and self._registers.ident == ident:
            return (yield from self._poll_registers(ident))
        next_mode = mode(ident)
        if next_mode.letter == "C":
            return (yield from self._poll_mode_c(ident))
        self._line.switch(next_mode.baud)
        return (yield from self._receive_readout(ident, self._turns.now_s + UNACKNOWLEDGED_S + REACTION_S))

    def _leave_programming_mode(self, learned: Learned) -> Turn[None]:
        """Send B0 at the learned speed: a meter left in programming mode ignores requests for a minute."""
        self._break_sent = True
        self._line.switch(baud(learned.speed or "0"))
        sent_s = yield from self._turns.send(encoder.BREAK)
        yield from self._turns.wait(sent_s + SLACK_S)
        self._line.switch(self._start_baud)
        yield from self._turns.wait_for_silence()

    def _poll_mode_c(self, ident: str) -> Turn[Outcome]:
        settings = self._attempts(ident)
        attempt = settings[self._attempt % len(settings)]
        if attempt.speed:
            until_s = yield from self._turns.acknowledge(attempt, encoder.READOUT)
        else:
            until_s = self._turns.now_s + UNACKNOWLEDGED_S + REACTION_S
        outcome = yield from self._receive_readout(ident, until_s)
        if outcome == "read":
            self.learned, self._attempt = attempt, 0
        else:
            self._attempt = (self._attempt + 1) % len(settings)
        return outcome

    def _attempts(self, ident: str) -> tuple[Learned, ...]:
        return attempts(ident, self.learned, can_switch=self._line.can_switch, refused=self._line.refused)

    def _receive_readout(self, ident: str, until_s: float) -> Turn[Outcome]:
        repeats = 0
        self._blocks.begin()
        while True:
            event = yield from self._turns.receive(until_s, MAX_READOUT)
            if event is None:
                return "damaged"
            if not isinstance(event, D0Message) or event.command:
                continue
            problem = damage(event)
            if problem and (event.end == EOT or self._blocks.has_begun) and repeats < _MAX_REPEATS:
                repeats += 1
                sent_s = yield from self._turns.send(encoder.NAK)
            elif event.end == EOT and not problem:
                repeats = 0
                self._decode(event)
                if not self._blocks.has_begun:
                    # longer than any readout: it may go on for ever
                    return "damaged"
                sent_s = yield from self._turns.send(encoder.ACK)
            else:
                return self._finish_readout(ident, event, is_valid=not problem)
            until_s = sent_s + REACTION_S + SLACK_S

    def _finish_readout(self, ident: str, message: D0Message, *, is_valid: bool) -> Outcome:
        reading = self._decode(message)
        if reading:
            self._list_length = reading.byte_count
            self._registers.learn(ident, reading)
        return "read" if is_valid else "damaged"

    def _decode(self, message: D0Message) -> Reading | None:
        """Append what a message completes to the results; returns it if it is a reading."""
        result = self._blocks.add(message)
        if result is not None:
            self._turns.results.append(result)
        return result if isinstance(result, Reading) else None

    def _poll_registers(self, ident: str) -> Turn[Outcome]:
        """Read single registers in programming mode until one fails; then the next poll is a readout."""
        attempt = self._attempts(ident)[0]
        until_s = yield from self._turns.acknowledge(attempt if attempt.speed else Learned("0"), encoder.PROGRAMMING)
        has_read, is_good = False, (yield from self._answer(until_s, "P0")) is not None
        while is_good and (is_good := (yield from self._read_registers())):
            has_read, self.outcome = True, "read"
            interval_s = self._interval_s or _REGISTERS_S
            # another meter of the line cannot be asked meanwhile
            if interval_s > _MAX_IN_PROGRAMMING_S or self._address:
                break
            self.planned_s, self._is_idle = interval_s, True
            yield from self._turns.wait(self._turns.now_s + interval_s)
            self._is_idle = False
        if not is_good:
            self._registers.give_up()
        sent_s = yield from self._turns.send(encoder.BREAK)
        yield from self._turns.wait(sent_s + SLACK_S)
        return "read" if has_read else "damaged"

    def _read_registers(self) -> Turn[bool]:
        answers: dict[str, str] = {}
        for code in self._registers.codes:
            sent_s = yield from self._turns.send(encoder.read_register(code))
            answer = yield from self._answer(sent_s + REACTION_S + SLACK_S)
            if answer is None:
                return False
            answers[code] = answer
        reading = self._registers.reading(answers)
        if reading:
            self._turns.results.append(reading)
        return reading is not None

    def _answer(self, until_s: float, command: str = "") -> Turn[str | None]:
        """The text of the next message with this command ("" for none); None if it is damaged or missing."""
        while (event := (yield from self._turns.receive(until_s))) is not None:
            if isinstance(event, D0Message) and event.command == command:
                return None if damage(event) else event.text
        return None


def _least_s(took_s: float) -> float:
    """From the beginning of a poll that took so long to that of the next one."""
    return max(took_s + PAUSE_S, 2 * took_s)
