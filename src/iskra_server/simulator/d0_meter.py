"""A D0 meter that waits for requests (IEC 62056-21, modes A, B and C), character by character. Pure: time is passed in.

    /?! or /?ADDRESS!       identification, at 300 baud
    ACK 0 Z 0               readout at the speed of Z, in one block or in several that are acknowledged
    ACK 0 Z 1, R1 code()    single registers, if it answers them; then it is deaf to requests until B0 or for a minute
    no acknowledgement      after 2 s the readout at 300 baud, as mode A; mode B switches by itself

It understands only characters of its own speed with even parity. Damage on the way is the matter of d0_wire.py.
"""

from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct

from iskra_server.codecs.d0 import encoder
from iskra_server.codecs.d0.speeds import START_BAUD, baud, mode
from iskra_server.codecs.text.parity import SEVEN_BITS, with_parity, wrong_bytes

# start bit, seven bits, parity, stop bit
BITS = 10
# a meter leaves programming mode by itself, and gives up a readout that nobody acknowledges
_DEAF_S, _PATIENCE_S = 60.0, 5.0
_NEVER = float("inf")
# the longest message of the other side, in characters; what is longer is no message
_LONGEST = 64

Readout = Callable[[], Sequence[str]]
Register = Callable[[str], str]


class Character(Struct):
    """A character on the line: when its last bit has passed, and its speed; `is_broken` where that changed within."""

    at_s: float
    byte: int
    baud: int
    is_broken: bool = False


def characters(data: bytes, start_s: float, baud: int, rate: float = 1.0) -> list[Character]:
    """Bytes as they follow each other from `start_s` on; at `rate` 10 each takes a tenth of its real time."""
    return [Character(start_s + place * BITS / baud / rate, byte, baud) for place, byte in enumerate(data, 1)]


class D0Meter:
    """`received` are the messages that it has understood, in seven bits.

    `readout` gives the lines of a readout; `register` the answer to R1, such as "(0033402.264*kWh)", None where the
    meter knows no programming mode. `gap_s` is the time from an acknowledgement to the first character of the answer,
    `reaction_s` that of every other answer. `rate` shortens the characters, not the pauses. `damage` is what happens
    to each message on its way.
    """

    def __init__(
        self,
        ident: str,
        readout: Readout,
        *,
        address: str = "",
        register: Register | None = None,
        blocks: int = 1,
        gap_s: float = 0.2,
        reaction_s: float = 0.2,
        unacknowledged_s: float = 2.0,
        start_baud: int = START_BAUD,
        rate: float = 1.0,
        damage: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self.ident, self.readout, self.register = ident, readout, register
        self.address = address
        self.blocks = blocks
        self.gap_s, self.reaction_s, self.unacknowledged_s = gap_s, reaction_s, unacknowledged_s
        self.rate, self.damage = rate, damage
        self.baud = self.start_baud = start_baud
        self.received: list[bytes] = []
        self.is_programming = False
        self.touched_s = 0.0
        self._heard = b""
        self._line: deque[Character] = deque()
        self._blocks: deque[bytes] = deque()
        self._last_block = b""
        self._unasked_s = _NEVER

    @property
    def wakes_at_s(self) -> float:
        """When the next character has passed, or the meter begins to send by itself."""
        return min(self._line[0].at_s if self._line else _NEVER, self._unasked_s)

    def due(self, now_s: float) -> list[Character]:
        """The characters whose last bit has passed by now."""
        if self._unasked_s <= now_s:
            at_s, self._unasked_s = self._unasked_s, _NEVER
            self._send_readout(at_s)
        passed = []
        while self._line and self._line[0].at_s <= now_s:
            passed.append(self._line.popleft())
            self.touched_s = passed[-1].at_s
        if passed and not self._line and not (self.is_programming or self._blocks or self._unasked_s < _NEVER):
            self.baud = self.start_baud
        return passed

    def receive(self, character: Character) -> None:
        """A character from the other side; call `due` first, so that the meter is in the same moment."""
        if character.at_s - self.touched_s > (_DEAF_S if self.is_programming else _PATIENCE_S) and not self._line:
            self._end_session()
        byte = bytes((character.byte,))
        if character.baud != self.baud or character.is_broken or wrong_bytes(byte):
            self._heard = b""
            return
        self._heard = (self._heard + byte.translate(SEVEN_BITS))[-_LONGEST:]
        self._answer(character.at_s, self._heard)

    def _answer(self, now_s: float, heard: bytes) -> None:
        if heard.endswith((encoder.request(), encoder.request(self.address))):
            if self.baud == self.start_baud and not self.is_programming:
                self._understand(now_s, heard[heard.rindex(b"/") :])
                self._identify(now_s + self.reaction_s)
        elif heard[-6:-5] == encoder.ACK and heard.endswith(encoder.LINE_END):
            self._acknowledged(now_s, heard[-6:])
        elif heard.endswith(encoder.BREAK):
            self._understand(now_s, encoder.BREAK)
            self._end_session()
        elif self.is_programming and self.register and heard.startswith(b"\x01R1\x02") and b"\x03" in heard[:-1]:
            self._understand(now_s, heard)
            answer = self.register(heard[4:].partition(b"(")[0].decode())
            self._send(now_s + self.reaction_s, encoder.block(answer))
        elif heard == encoder.ACK and self._blocks:
            self._understand(now_s, heard)
            self._send_block(now_s + self.reaction_s)
        elif heard == encoder.NAK and self._last_block:
            self._understand(now_s, heard)
            self._send(now_s + self.reaction_s, self._last_block)

    def _identify(self, at_s: float) -> None:
        message = encoder.identification(self.ident)
        self._send(at_s, message)
        end_s = at_s + len(message) * BITS / self.baud / self.rate
        next_mode = mode(self.ident)
        if next_mode.letter == "B":
            self.baud = next_mode.baud
            self._send_readout(end_s + self.gap_s)
        else:
            self._unasked_s = end_s + self.unacknowledged_s

    def _acknowledged(self, now_s: float, message: bytes) -> None:
        if self._unasked_s == _NEVER or message[2:3] not in b"0123456":
            return
        self._understand(now_s, message)
        self._unasked_s = _NEVER
        self.baud = baud(chr(message[2]))
        if message[3:4] == b"1" and self.register:
            self.is_programming = True
            self._send(now_s + self.gap_s, encoder.command("P0", "()"))
        else:
            self._send_readout(now_s + self.gap_s)

    def _send_readout(self, at_s: float) -> None:
        text = "\r\n".join((*self.readout(), "!", ""))
        size = -(-len(text) // self.blocks)
        parts = [text[at : at + size] for at in range(0, len(text), size)]
        self._blocks = deque(encoder.block(part, is_last=part is parts[-1]) for part in parts)
        self._send_block(at_s)

    def _send_block(self, at_s: float) -> None:
        self._last_block = self._blocks.popleft()
        self._send(at_s, self._last_block)

    def _send(self, at_s: float, message: bytes) -> None:
        self._line.extend(characters(self.damage(with_parity(message)), at_s, self.baud, self.rate))

    def _understand(self, now_s: float, message: bytes) -> None:
        self.received.append(message)
        self.touched_s, self._heard = now_s, b""

    def _end_session(self) -> None:
        self.is_programming, self.baud, self._blocks = False, self.start_baud, deque()
