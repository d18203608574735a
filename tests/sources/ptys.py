"""Serial ports without a wire, and somebody who listens to them."""

import asyncio
import fcntl
import os
import select
import struct
import termios
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager

import pytest

from iskra_server.sources.source import Chunk, Source
from running import DEADLINE_S

NOBODY = 65534


class Pty:
    """A serial port at `path`; we are the meter at its other end.

    In packet mode, each read begins with a byte that says what the reader of the port has done (ioctl_tty(2)).
    """

    def __init__(self) -> None:
        self._master, slave = os.openpty()
        self.path = os.ttyname(slave)
        os.close(slave)
        fcntl.ioctl(self._master, termios.TIOCPKT, struct.pack("i", 1))
        self._is_listening = False

    def send(self, data: bytes) -> None:
        os.write(self._master, data)

    def received(self, byte_count: int) -> bytes:
        """What the reader of the port has sent us; waits for so many bytes."""
        data = b""
        while len(data) < byte_count:
            data += self.read(byte_count - len(data))
        return data

    def read(self, most: int) -> bytes:
        """What has arrived from the reader of the port; b"" where it has done something else."""
        packet = os.read(self._master, 1 + most)
        self._is_listening |= bool(packet[0] & termios.TIOCPKT_FLUSHREAD)
        return packet[1:]

    @property
    def is_listening(self) -> bool:
        """Whether the port was opened: opening it discards what has arrived before, so that is lost."""
        events = select.poll()
        events.register(self._master, select.POLLPRI)
        # POLLHUP while nobody has it open
        while not self._is_listening and any(event & select.POLLPRI for _, event in events.poll(0)):
            self.read(0)
        return self._is_listening

    def settings(self) -> list[object]:
        return termios.tcgetattr(self._master)

    @property
    def is_untouched(self) -> bool:
        """A new terminal echoes; whoever reads bytes from it must switch that off."""
        return bool(int(str(self.settings()[3])) & termios.ECHO)

    def unplug(self) -> None:
        if self._master >= 0:
            os.close(self._master)
            self._master = -1


class Heard:
    """What came out of a source so far."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.ended = False

    @property
    def data(self) -> bytes:
        return b"".join(chunk.data for chunk in self.chunks)


@asynccontextmanager
async def listening(source: Source) -> AsyncIterator[Heard]:
    """Iterate a source in the background, as a reader does."""
    heard = Heard()

    async def listen() -> None:
        async with aclosing(source.chunks()) as chunks:
            async for chunk in chunks:
                heard.chunks.append(chunk)
        heard.ended = True

    task = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled() and (error := task.exception()):
            raise error


async def until(condition: Callable[[], object], deadline_s: float = DEADLINE_S, every_s: float = 0.005) -> None:
    async with asyncio.timeout(deadline_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(every_s)


@contextmanager
def nobody() -> Iterator[None]:
    """Be somebody who has no rights at all."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
