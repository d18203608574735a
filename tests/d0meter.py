"""A D0 meter and a line with speeds, simulated character by character, for a session that thinks it is real."""

from collections import deque
from collections.abc import Callable
from itertools import count

from msgspec import Struct

import texts
from iskra_server.codecs.conversation import Conversation, Send
from iskra_server.codecs.d0 import encoder
from iskra_server.codecs.text.parity import SEVEN_BITS, with_parity
from iskra_server.meter.reading import Fault, Reading

BITS = 10
DEAF_S = 60.0
PATIENCE_S = 5.0


class Sent(Struct):
    """A character on the line: when its last bit is over, and at which speed; `is_broken` where the speed changed."""

    at_s: float
    byte: int
    baud: int
    is_broken: bool = False


class Meter:
    """Answers as IEC 62056-21 says; `heard` are the messages that it has understood."""

    def __init__(
        self,
        ident: str = texts.D0_IDENT,
        lines: list[str] | None = None,
        *,
        gap_s: float = 0.2,
        reaction_s: float = 0.2,
        address: str = "",
        registers: dict[str, str] | None = None,
        blocks: int = 1,
        unacknowledged_s: float = 2.0,
    ) -> None:
        self.ident = ident
        self.lines = texts.d0_lines() if lines is None else lines
        self.gap_s, self.reaction_s, self.address = gap_s, reaction_s, address
        self.registers = registers
        self.blocks = blocks
        self.unacknowledged_s = unacknowledged_s
        self.baud = 300
        self.received: list[bytes] = []
        self.is_programming = False
        self.touched_s = 0.0
        self.line: deque[Sent] = deque()
        self._text = b""
        self.blocks_left: deque[bytes] = deque()
        self._last = b""
        self.self_send_s = float("inf")
        self.damage: Callable[[bytes], bytes] = lambda data: data

    def receive(self, sent: Sent) -> None:
        if sent.at_s - self.touched_s > (DEAF_S if self.is_programming else PATIENCE_S) and not self.line:
            # it has waited long enough for what was to follow
            self.is_programming, self.baud, self.blocks_left = False, 300, deque()
        if sent.baud != self.baud or sent.is_broken:
            self._text = b""
            return
        self._text += bytes((sent.byte & 0x7F,))
        request = encoder.request(self.address)
        if self._text.endswith((request, b"/?!\r\n")) and self.baud == 300 and not self.is_programming:
            if self._text.endswith(request):
                self._understand(sent.at_s, self._text)
                self.transmit(sent.at_s + self.reaction_s, encoder.identification(self.ident))
                self._after_identification(self.line[-1].at_s)
        elif len(self._text) >= 6 and self._text[-6:-5] == encoder.ACK and self._text.endswith(b"\r\n"):
            self._acknowledged(sent.at_s, self._text[-6:])
        elif self._text.endswith(encoder.BREAK):
            self._understand(sent.at_s, self._text)
            self.is_programming, self.baud, self.blocks_left = False, 300, deque()
        elif self.is_programming and self._text.startswith(b"\x01R1\x02") and b"\x03" in self._text[:-1]:
            code = self._text[4:].partition(b"(")[0].decode()
            self._understand(sent.at_s, self._text)
            self.transmit(sent.at_s + self.reaction_s, encoder.block((self.registers or {}).get(code, "(ERROR)")))
        elif self._text == encoder.ACK and self.blocks_left:
            self._understand(sent.at_s, self._text)
            self._next_block(sent.at_s + self.reaction_s)
        elif self._text == encoder.NAK and self._last:
            self._understand(sent.at_s, self._text)
            self.transmit(sent.at_s + self.reaction_s, self._last)

    def wake(self, now_s: float) -> None:
        """Without an acknowledgement it sends its readout by itself."""
        self.self_send_s = float("inf")
        self._send_readout(now_s)

    def _after_identification(self, end_s: float) -> None:
        speed = self.ident[3]
        if speed in "ABCDEF":
            self.baud = 600 << "ABCDEF".index(speed)
            self._send_readout(end_s + self.gap_s)
        else:
            self.self_send_s = end_s + self.unacknowledged_s

    def _acknowledged(self, now_s: float, message: bytes) -> None:
        if self.self_send_s == float("inf"):
            return
        self._understand(now_s, message)
        self.self_send_s = float("inf")
        self.baud = 300 << int(chr(message[2]))
        if message[3:4] == b"1" and self.registers is not None:
            self.is_programming, self.touched_s = True, now_s
            self.transmit(now_s + self.gap_s, encoder.command("P0", "()"))
        else:
            self._send_readout(now_s + self.gap_s)

    def _send_readout(self, at_s: float) -> None:
        text = "\r\n".join((*self.lines, "!", ""))
        size = -(-len(text) // self.blocks)
        parts = [text[at : at + size] for at in range(0, len(text), size)]
        self.blocks_left = deque(encoder.block(part, is_last=part is parts[-1]) for part in parts)
        self._next_block(at_s)

    def _next_block(self, at_s: float) -> None:
        self._last = self.blocks_left.popleft()
        self.transmit(at_s, self._last)

    def _understand(self, now_s: float, message: bytes) -> None:
        self.received.append(message)
        self.touched_s = now_s
        self._text = b""

    def transmit(self, at_s: float, message: bytes) -> None:
        for byte in self.damage(with_parity(message)):
            at_s += BITS / self.baud
            self.line.append(Sent(at_s, byte, self.baud))


class World:
    """Time, a line, the meter and the session; `sent` is everything that was ever sent, in seven bits."""

    def __init__(
        self, session: Conversation, meters: list[Meter], *, echo: bool = False, adapter_s: float = 0.0
    ) -> None:
        self.session, self.meters = session, meters
        self.echo, self.adapter_s = echo, adapter_s
        self.now_s = 0.0
        self.baud = 300
        self.sent: list[bytes] = []
        self.sent_s: list[float] = []
        self.byte_times_s: list[float] = []
        self.results: list[Reading | Fault] = []
        self.speeds: list[tuple[float, int]] = []
        self._out: deque[Sent] = deque()

    def run(self, until_s: float, enough: Callable[[], bool] = lambda: False) -> None:
        """Until a time, or until it is enough."""
        for turn in count():
            self._do()
            if enough():
                return
            at_s = min(self.session.wakes_at_s, self._next_s())
            if at_s > until_s:
                self.now_s = until_s
                return
            assert turn < 1_000_000 and at_s >= self.now_s - 1e-9
            self.now_s = max(at_s, self.now_s)
            self._deliver()

    def readings(self) -> list[Reading]:
        return texts.readings(self.results)

    def _next_s(self) -> float:
        lines = [meter.line[0].at_s for meter in self.meters if meter.line]
        return min(
            (*lines, *(sent.at_s for sent in list(self._out)[:1]), *(meter.self_send_s for meter in self.meters), 1e12)
        )

    def _do(self) -> None:
        for step in self.session.due(self.now_s):
            if isinstance(step, Send):
                self.sent.append(step.data.translate(SEVEN_BITS))
                self.sent_s.append(self.now_s)
                for place, byte in enumerate(step.data, 1):
                    self._out.append(Sent(self.now_s + self.adapter_s + place * BITS / self.baud, byte, self.baud))
            else:
                self.speeds.append((self.now_s, step.baud))
                self.baud = step.baud
                for sent in self._out:
                    sent.is_broken = True

    def _deliver(self) -> None:
        while self._out and self._out[0].at_s <= self.now_s:
            sent = self._out.popleft()
            for meter in self.meters:
                meter.receive(sent)
            if self.echo:
                self.results += self.session.feed(bytes((sent.byte,)), self.now_s)
        for meter in self.meters:
            while meter.line and meter.line[0].at_s <= self.now_s:
                sent = meter.line.popleft()
                meter.touched_s = self.now_s
                self.byte_times_s.append(self.now_s)
                byte = sent.byte if sent.baud == self.baud else (sent.byte * 7 + 0x80) & 0xFF
                self.results += self.session.feed(bytes((byte,)), self.now_s)
                if not meter.line and not meter.is_programming and not meter.blocks_left and meter.self_send_s > 1e11:
                    meter.baud = 300
            if meter.self_send_s <= self.now_s:
                meter.wake(self.now_s)
