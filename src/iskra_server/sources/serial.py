"""A serial port, 9600 8N1 unless its address says otherwise (`/dev/ttyUSB0?baud=115200`).

serialx opens, locks and sets the port; the bytes are read from its file descriptor. In a silence we look every 1.5 s
whether the path still leads to the device that is open, and read once: not every event loop reports an unplugged one.
"""

import asyncio
import os
import termios
import time
from functools import partial

import serialx

from iskra_server.base.threads import in_daemon_thread
from iskra_server.sources.burst_predictor import BurstPredictor
from iskra_server.sources.errors import SourceError, opening_error, unplugged
from iskra_server.sources.line_errors import LineErrors, counted
from iskra_server.sources.reconnect import Reconnecting, Report
from iskra_server.sources.source import FormatProblem, plain_problem

BAUD = 9600
# an unplugged head is to be noticed within 2 s, a meter that speaks once a second not to be disturbed
LOOK_EVERY_S = 1.5
# what the kernel keeps of a terminal's input
MAX_BYTES = 4096


class SerialLine:
    """An open serial port, locked for us alone. Bytes that nobody asks for stay with the kernel."""

    def __init__(self, path: str, serial: serialx.BaseSerial, baud: int) -> None:
        self.port = path
        self._serial = serial
        self._fd = serial.fileno()
        self._device = device_behind(path)
        self._predictor = BurstPredictor(baud)
        self._data = b""
        self._counted = counted(self._fd)
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] = self._loop.create_future()
        self._nap: asyncio.TimerHandle | None = None

    def put_back(self, data: bytes) -> None:
        """The next `read` gives these again."""
        self._data = data

    async def read(self) -> bytes:
        if not self._data:
            await self._arrival()
        data, self._data = self._data, b""
        return data

    def errors(self) -> LineErrors | None:
        if self._counted is None:
            return None
        # an unplugged one counts no more
        before, self._counted = self._counted, counted(self._fd) or self._counted
        return self._counted - before

    async def close(self) -> None:
        # a device may block in this, as in opening
        await in_daemon_thread(self._serial.close)

    async def _arrival(self) -> None:
        self._waiter = self._loop.create_future()
        self._loop.add_reader(self._fd, self._take)
        self._watch = self._loop.call_later(LOOK_EVERY_S, self._look)
        try:
            await self._waiter
        finally:
            self._loop.remove_reader(self._fd)
            self._watch.cancel()
            if self._nap:
                self._nap.cancel()
                self._nap = None

    def _take(self) -> None:
        """Read what is there; then sleep while more is on its way, or hand it over."""
        if self._waiter.done():
            return
        try:
            data = self._read_now()
        except SourceError as trouble:
            self._waiter.set_exception(trouble)
            return
        self._data += data
        nap_s = self._predictor.delay_s(len(data), time.monotonic()) if data else 0.0
        if nap_s:
            self._loop.remove_reader(self._fd)
            self._nap = self._loop.call_later(nap_s, self._wake_up)
        elif self._data:
            self._waiter.set_result(None)

    def _wake_up(self) -> None:
        self._nap = None
        self._loop.add_reader(self._fd, self._take)
        self._take()

    def _look(self) -> None:
        self._watch = self._loop.call_later(LOOK_EVERY_S, self._look)
        if device_behind(self.port) != self._device and not self._waiter.done():
            self._waiter.set_exception(unplugged(self.port))
        elif not self._nap:
            self._take()

    def _read_now(self) -> bytes:
        """The bytes that are there, none if there are none."""
        try:
            data = os.read(self._fd, MAX_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise unplugged(self.port) from error
        if not data:
            raise unplugged(self.port)
        return data


async def open_serial(path: str, baud: int = BAUD) -> SerialLine:
    """Raises `Trouble` with what the user should know."""
    try:
        serial = await in_daemon_thread(lambda: _open(path, baud), discard=lambda late: late.close())
    except OSError as error:
        raise await asyncio.to_thread(opening_error, path, error) from error
    except (termios.error, serialx.SerialException, RuntimeError) as error:
        raise await asyncio.to_thread(opening_error, path, OSError(*error.args)) from error
    return SerialLine(path, serial, baud)


def _open(path: str, baud: int) -> serialx.BaseSerial:
    serial = serialx.serial_for_url(path, baudrate=baud, exclusive=True, low_latency=True)
    serial.open()
    return serial


def device_behind(path: str) -> int | None:
    """The number of the device that a path leads to now, None where it leads nowhere."""
    try:
        return os.stat(path).st_rdev
    except OSError:
        return None


def appearance(path: str) -> tuple[int, int, int] | None:
    """What changes when a port is plugged in or its permissions are set; None while it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_rdev, status.st_mode, status.st_gid


def serial_source(
    url: str, path: str, baud: int = BAUD, *, format_problem: FormatProblem = plain_problem
) -> Reconnecting:
    async def connect(_: Report) -> SerialLine:
        return await open_serial(path, baud)

    return Reconnecting(
        url=url, port=path, connect=connect, plugged=partial(appearance, path), format_problem=format_problem
    )
