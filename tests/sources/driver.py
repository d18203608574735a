"""The driver of a serial port that counts errors, in the place of fcntl.ioctl."""

import fcntl
import struct
import termios
from typing import Any

_ioctl = fcntl.ioctl


class Driver:
    """cts dsr rng dcd rx tx frame overrun parity brk buf_overrun, of linux/serial.h."""

    framing = 7
    overrun = 5

    def ioctl(self, fd: int, request: int, *more: Any) -> Any:
        if request != termios.TIOCGICOUNT:
            return _ioctl(fd, request, *more)
        return struct.pack("20i", 9, 9, 9, 9, 9, 9, self.framing, self.overrun, 9, 1, 2, *(9,) * 9)
