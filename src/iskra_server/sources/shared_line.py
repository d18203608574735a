"""One serial port for several meters with addresses (RS-485). They take turns: one poll after another.

The first meter opens the port, the last one closes it.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from iskra_server.sources.errors import SourceError, opening_error, unplugged
from iskra_server.sources.reconnect import WritableLine
from iskra_server.sources.serial import CHECK_EVERY_S, SerialLine, open_serial
from iskra_server.sources.source import LineErrors, SourceState

# an answer that is late by the longest reaction time (IEC 62056-21, 6.3.14) does not fall into the next turn
_PAUSE_S = 1.5
# a full list takes 317 s at 300 baud
_MAX_NOISE_S = 330.0


class _SharedPort:
    """A lost one is not opened again: its meters leave it, and open what the path leads to then."""

    def __init__(self, path: str, device: str, baud: int) -> None:
        self.baud = baud
        self.turn = asyncio.Lock()
        self.free_at_s = 0.0
        self.users = 0
        self._path, self._device = path, device
        self._is_lost = False
        self._line: SerialLine | None = None
        self._door = asyncio.Lock()

    async def open(self) -> SerialLine:
        """Raises SourceError."""
        async with self._door:
            if self._line is None:
                self._line = await open_serial(self._path, self.baud)
            return self._line

    async def leave(self) -> None:
        """The last meter closes the port; the first one if it is lost, as soon as nobody is polled."""
        self.users -= 1
        if self.users and not self._is_lost:
            return
        async with self.turn, self._door:
            if self._line and (self._is_lost or not self.users):
                await self._line.close()
                self._line = None
        # another one may have come meanwhile
        if not self.users:
            self._forget()

    def check(self) -> None:
        """Raises SourceError when the port is lost."""
        if self._is_lost or self._line is None or not self._line.is_plugged:
            self.lose()
            raise unplugged(self._path)

    def lose(self) -> None:
        self._is_lost = True
        self._forget()

    def _forget(self) -> None:
        if _ports.get(self._device) is self:
            del _ports[self._device]


# by device: like the lock of the device itself, they belong to the process
_ports: dict[str, _SharedPort] = {}


class SharedLine(WritableLine):
    """The line of one meter; it is read and written between `begin_turn` and `end_turn`."""

    def __init__(self, port: str, shared: _SharedPort, line: SerialLine) -> None:
        self.port = port
        self.has_turn = False
        self._shared = shared
        self._line = line
        self.settings = line.settings

    async def begin_turn(self, at_s: float) -> None:
        """Wait until a time of time.monotonic(), and until no other meter is polled. Raises SourceError."""
        while (left_s := at_s - time.monotonic()) > 0:
            self._shared.check()
            await asyncio.sleep(min(left_s, CHECK_EVERY_S))
        await self._shared.turn.acquire()
        self.has_turn = True
        await asyncio.sleep(self._shared.free_at_s - time.monotonic())
        self._shared.check()
        await self.set_speed(self._shared.baud)
        # what comes after the end of a turn belongs to nobody: the rest of a readout whose reader was removed
        until_s = time.monotonic() + _MAX_NOISE_S
        at_s = 0.0
        while await self.read_until(at_s) and time.monotonic() < until_s:
            at_s = time.monotonic() + _PAUSE_S

    def end_turn(self) -> None:
        if self.has_turn:
            self.has_turn = False
            self._shared.free_at_s = time.monotonic() + _PAUSE_S
            self._shared.turn.release()

    async def read(self) -> bytes:
        with self._noticing_loss():
            return await self._line.read()

    async def read_until(self, at_s: float) -> bytes:
        with self._noticing_loss():
            return await self._line.read_until(at_s)

    def write(self, data: bytes) -> None:
        with self._noticing_loss():
            self._line.write(data)

    async def set_speed(self, baud: int) -> None:
        with self._noticing_loss():
            await self._line.set_speed(baud)
        self.settings = self._line.settings

    def errors(self) -> LineErrors | None:
        return self._line.errors() if self.has_turn else None

    def state(self) -> SourceState:
        return SourceState(self.port, is_open=True, line=self.settings)

    async def close(self) -> None:
        self.end_turn()
        await self._shared.leave()

    @contextmanager
    def _noticing_loss(self) -> Iterator[None]:
        try:
            yield
        except SourceError:
            self._shared.lose()
            raise


def shared_name(path: str, address: str) -> str:
    """What the port is called where one of several meters is read: history tells meters apart by their port."""
    return f"{path}?address={address}" if address else path


def split_name(port: str) -> tuple[str, str]:
    """The path and the address in a name of `shared_name`."""
    path, _, address = port.partition("?address=")
    return path, address


async def open_shared(path: str, port: str, baud: int) -> SharedLine:
    """The line of one more meter at this port; `port` is what it is called. Raises SourceError."""
    try:
        device = await asyncio.to_thread(partial(os.path.realpath, path, strict=True))
    except OSError as error:
        raise await asyncio.to_thread(opening_error, path, error) from error
    shared = _ports.setdefault(device, _SharedPort(path, device, baud))
    shared.users += 1
    try:
        return SharedLine(port, shared, await shared.open())
    except BaseException:
        await shared.leave()
        raise
