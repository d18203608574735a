"""A D0 meter behind a pseudo-terminal, in real time, with the speed that the reader has set."""

import os
import select
import termios
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from d0meter import BITS, Meter, Sent
from iskra_server.codecs.text.parity import SEVEN_BITS
from sources.ptys import Pty

_SPEEDS = {getattr(termios, f"B{baud}"): baud for baud in (300, 600, 1200, 2400, 4800, 9600, 19200)}
# shorter than a character at 9600 baud would be, but not than a busy machine can keep
_TICK_S = 0.002


class D0Port(Pty):
    """`sent` is everything that the reader has ever sent, in seven bits, with the speed of each byte."""

    def __init__(self, *meters: Meter, echo: bool = False) -> None:
        super().__init__()
        self.meters = meters
        self.echo = echo
        self.received_bytes: list[tuple[int, int]] = []
        self.lose: Callable[[bytes], bytes] = lambda data: data
        self._on_wire: deque[Sent] = deque()
        self._is_ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def baud(self) -> int:
        return _SPEEDS.get(int(str(self.settings()[4])), 0)

    @property
    def sent(self) -> bytes:
        return bytes(byte for byte, _ in self.received_bytes).translate(SEVEN_BITS)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_ended.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._is_ended.is_set():
            readable, _, _ = select.select([self.master], [], [], _TICK_S)
            try:
                if readable:
                    self._receive(os.read(self.master, 4096))
            except OSError:
                # nobody has the port open
                self._is_ended.wait(_TICK_S)
            self._pass_on(time.monotonic())

    def _receive(self, data: bytes) -> None:
        baud = self.baud
        at_s = max([time.monotonic(), *(sent.at_s for sent in self._on_wire)])
        for byte in data:
            at_s += BITS / baud
            self.received_bytes.append((byte, baud))
            self._on_wire.append(Sent(at_s, byte, baud))

    def _pass_on(self, now_s: float) -> None:
        back = bytearray()
        while self._on_wire and self._on_wire[0].at_s <= now_s:
            sent = self._on_wire.popleft()
            if self.echo:
                back.append(sent.byte)
            for meter in self.meters:
                meter.receive(sent)
        for meter in self.meters:
            while meter.line and meter.line[0].at_s <= now_s:
                sent = meter.line.popleft()
                meter.touched_s = now_s
                back.append(sent.byte if sent.baud == self.baud else (sent.byte * 7 + 0x80) & 0xFF)
                if not meter.line and not meter.is_programming and not meter.blocks_left and meter.self_send_s > 1e11:
                    meter.baud = 300
            if meter.self_send_s <= now_s:
                meter.wake(now_s)
        if back:
            self.send(self.lose(bytes(back)))


@contextmanager
def plugged_in(*meters: Meter, echo: bool = False) -> Iterator[D0Port]:
    port = D0Port(*meters, echo=echo)
    port.start()
    try:
        yield port
    finally:
        port.stop()
        port.unplug()
