"""What the driver of a serial port counts beside the bytes: TIOCGICOUNT of Linux (`struct serial_icounter_struct` of
linux/serial.h). Drivers that count nothing refuse, as pseudo-terminals do, and many adapters count only some of it.
"""

import fcntl
import struct
import termios

from msgspec import Struct

# cts dsr rng dcd rx tx frame overrun parity brk buf_overrun, and nine that are reserved
_COUNTERS = struct.Struct("20i")
_FRAME, _OVERRUN, _BREAK, _BUFFER_OVERRUN = 6, 7, 9, 10


class LineErrors(Struct, frozen=True, gc=False):
    """`framing`: where a stop bit was missing, breaks among them; `overruns`: where there was no room for a byte."""

    framing: int = 0
    overruns: int = 0

    def __add__(self, other: "LineErrors") -> "LineErrors":
        return LineErrors(self.framing + other.framing, self.overruns + other.overruns)

    def __sub__(self, other: "LineErrors") -> "LineErrors":
        return LineErrors(self.framing - other.framing, self.overruns - other.overruns)


def counted(fd: int) -> LineErrors | None:
    """All that the driver has counted since the port was plugged in; None where it does not tell."""
    try:
        counters = _COUNTERS.unpack(fcntl.ioctl(fd, termios.TIOCGICOUNT, bytes(_COUNTERS.size)))
    except OSError:
        return None
    return LineErrors(counters[_FRAME] + counters[_BREAK], counters[_OVERRUN] + counters[_BUFFER_OVERRUN])
