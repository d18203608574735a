"""A serial port, 9600 8N1 unless its address says otherwise (`/dev/ttyUSB0?baud=115200`).

serialx opens, locks and configures the port; the bytes are read and written through its file descriptor, and the line
settings are changed there: serialx discards received bytes when it changes them. During silence, check every 1.5 s
whether the path still leads to the open device, and read once: not every event loop reports an unplugged device.
"""

import asyncio
import errno
import fcntl
import os
import struct
import termios
import time

import serialx

from iskra_server.base.threads import in_daemon_thread
from iskra_server.sources.burst_predictor import BurstPredictor
from iskra_server.sources.errors import SourceError, opening_error, unplugged
from iskra_server.sources.reconnect import WritableLine
from iskra_server.sources.source import LineErrors, LineSettings, SourceState

# an unplugged head is noticed within 2 s; a meter that sends once a second causes no check at all
CHECK_EVERY_S = 1.5
# size of the kernel's input buffer of a terminal
MAX_BYTES = 4096
# serial_icounter_struct of linux/serial.h: cts dsr rng dcd rx tx frame overrun parity brk buf_overrun, 9 reserved
_COUNTERS = struct.Struct("20i")
_FRAME, _OVERRUN, _BREAK, _BUFFER_OVERRUN = 6, 7, 9, 10


class SerialLine(WritableLine):
    """An open serial port, locked exclusively. Bytes stay in the kernel until `read` is called."""

    # what the meter speaks, "" while it is not known
    protocol = ""

    def __init__(self, path: str, serial: serialx.BaseSerial, baud: int) -> None:
        self.port = path
        self._serial = serial
        self._fd = serial.fileno()
        self._device = plugged_device(path)
        self.settings = LineSettings(baud)
        self._predictor = BurstPredictor(baud)
        self._predicts = True
        self._data = b""
        self._errors = driver_errors(self._fd)
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] = self._loop.create_future()
        self._delay: asyncio.TimerHandle | None = None

    @property
    def is_plugged(self) -> bool:
        """Whether the path still leads to the open device."""
        return plugged_device(self.port) == self._device

    def put_back(self, data: bytes) -> None:
        """The next `read` returns these bytes again."""
        self._data = data

    async def read(self) -> bytes:
        if not self._data:
            await self._wait_for_data()
        data, self._data = self._data, b""
        return data

    async def read_until(self, at_s: float) -> bytes:
        self._predicts = False
        try:
            async with asyncio.timeout(max(at_s - time.monotonic(), 0.0)):
                return await self.read()
        except TimeoutError:
            data, self._data = self._data, b""
            return data + self._read_available()
        finally:
            self._predicts = True

    def state(self) -> SourceState:
        return SourceState(self.port, is_open=True, line=self.settings, protocol=self.protocol)

    def write(self, data: bytes) -> None:
        """Requests are shorter than the buffer of the driver, so this never waits. Raises SourceError."""
        try:
            os.write(self._fd, data)
        except OSError as error:
            raise unplugged(self.port) from error

    def configure(self, settings: LineSettings) -> None:
        """Change speed and format at once; received bytes stay. Raises SourceError.

        A pseudo-terminal has no wire and refuses parity: it stays at 8N1.
        """
        if settings == self.settings:
            return
        try:
            _configure(self._fd, settings)
        except (OSError, termios.error) as error:
            raise SourceError("unusable", port=self.port, reason=str(error.args[-1])) from error
        self.settings, self._predictor = settings, BurstPredictor(settings.baud)

    async def set_speed(self, baud: int) -> None:
        self.configure(LineSettings(baud))

    def errors(self) -> LineErrors | None:
        if self._errors is None:
            return None
        # an unplugged port has no counters any more
        before, self._errors = self._errors, driver_errors(self._fd) or self._errors
        return self._errors - before

    async def close(self) -> None:
        # closing a device may block, as opening may
        await in_daemon_thread(self._serial.close)

    async def _wait_for_data(self) -> None:
        self._waiter = self._loop.create_future()
        self._loop.add_reader(self._fd, self._on_readable)
        self._check = self._loop.call_later(CHECK_EVERY_S, self._check_device)
        try:
            await self._waiter
        finally:
            self._loop.remove_reader(self._fd)
            self._check.cancel()
            if self._delay:
                self._delay.cancel()
                self._delay = None

    def _on_readable(self) -> None:
        """Read what is there; then wait while more of the burst is expected, or finish `read`."""
        if self._waiter.done():
            return
        try:
            data = self._read_available()
        except SourceError as error:
            self._waiter.set_exception(error)
            return
        self._data += data
        predicts = bool(data) and self._predicts
        delay_s = self._predictor.delay_s(len(data), time.monotonic()) if predicts else 0.0
        if delay_s:
            self._loop.remove_reader(self._fd)
            self._delay = self._loop.call_later(delay_s, self._end_delay)
        elif self._data:
            self._waiter.set_result(None)

    def _end_delay(self) -> None:
        self._delay = None
        self._loop.add_reader(self._fd, self._on_readable)
        self._on_readable()

    def _check_device(self) -> None:
        self._check = self._loop.call_later(CHECK_EVERY_S, self._check_device)
        if not self.is_plugged and not self._waiter.done():
            self._waiter.set_exception(unplugged(self.port))
        elif not self._delay:
            self._on_readable()

    def _read_available(self) -> bytes:
        try:
            data = os.read(self._fd, MAX_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise unplugged(self.port) from error
        if not data:
            raise unplugged(self.port)
        return data


async def open_serial(path: str, baud: int = LineSettings().baud) -> SerialLine:
    """Raises SourceError."""
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


def _configure(fd: int, settings: LineSettings) -> None:
    iflag, oflag, cflag, lflag, _, _, cc = termios.tcgetattr(fd)
    speed = getattr(termios, f"B{settings.baud}", None)
    if speed is None:
        raise OSError(errno.EINVAL, f"this system has no speed of {settings.baud} baud")
    bits, parity = settings.format[0], settings.format[1]
    cflag &= ~(termios.CSIZE | termios.PARENB | termios.PARODD)
    cflag |= termios.CS7 if bits == "7" else termios.CS8
    with_parity = cflag | (termios.PARENB if parity == "E" else 0)
    try:
        termios.tcsetattr(fd, termios.TCSANOW, [iflag, oflag, with_parity, lflag, speed, speed, cc])
    except termios.error as error:
        if error.args[0] != errno.EINVAL or with_parity == cflag:
            raise
        termios.tcsetattr(fd, termios.TCSANOW, [iflag, oflag, cflag, lflag, speed, speed, cc])


def driver_errors(fd: int) -> LineErrors | None:
    """Errors that the driver counted since the port was plugged in (ioctl TIOCGICOUNT); None where it does not count.

    Pseudo-terminals refuse, and many adapters count only some of it.
    """
    try:
        counters = _COUNTERS.unpack(fcntl.ioctl(fd, termios.TIOCGICOUNT, bytes(_COUNTERS.size)))
    except OSError:
        return None
    return LineErrors(counters[_FRAME] + counters[_BREAK], counters[_OVERRUN] + counters[_BUFFER_OVERRUN])


def plugged_device(path: str) -> tuple[int, int] | None:
    """Changes with each plugging in; None while the path leads nowhere."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_rdev, status.st_ino


def device_state(path: str) -> tuple[int, int, int] | None:
    """What changes when a port is plugged in or its permissions are changed; None while it is missing."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_rdev, status.st_mode, status.st_gid
