"""A meter that sends by itself behind a pseudo-terminal; at another speed a reader receives what its chip would."""

import asyncio
import os
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from iskra_server.codecs.wire import received
from iskra_server.sources.source import LineSettings
from sources.ptys import Pty

SPEEDS = {
    getattr(termios, f"B{baud}"): baud for baud in (300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200)
}

USUAL = LineSettings()


class SpeakingPort(Pty):
    """`heard_at` are the speeds of the reader at each telegram."""

    def __init__(self, telegram: bytes, settings: LineSettings = USUAL, period_s: float = 0.15) -> None:
        super().__init__()
        self.telegram = telegram
        self.line = settings
        self.period_s = period_s
        self.heard_at: list[int] = []

    @property
    def baud(self) -> int:
        return SPEEDS[int(str(self.settings()[4]))]

    @property
    def sent(self) -> bytes:
        """What the reader has sent since the last call."""
        os.set_blocking(self._master, False)
        try:
            return self.read(4096) or self.read(4096)
        except OSError:
            return b""

    def speak(self) -> None:
        """One telegram, as a receiver at the speed of the reader reads it."""
        if self.is_untouched:
            return
        has_parity = self.line.format == "8E1"
        # a pseudo-terminal has no parity: a reader at the right speed is taken to expect it
        reads_parity = has_parity and self.baud == self.line.baud
        data = received(
            self.telegram, self.line.baud, has_parity=has_parity, read_at=self.baud, reads_parity=reads_parity
        )
        self.heard_at.append(self.baud)
        self.send(data)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self.period_s)
            self.speak()


@asynccontextmanager
async def speaking(*ports: SpeakingPort) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(port.run()) for port in ports]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
