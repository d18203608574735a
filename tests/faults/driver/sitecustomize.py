"""Found by a staged server at its start: the driver of a serial port that counts errors, as no pseudo-terminal does.

What it has counted stands in the file that STAGED_DRIVER names: framing errors and overruns.
"""

import fcntl
import os
import struct
import termios
from pathlib import Path
from typing import Any

_ioctl = fcntl.ioctl


def _counting(fd: Any, request: int, *more: Any) -> Any:
    if request != termios.TIOCGICOUNT:
        return _ioctl(fd, request, *more)
    framing, overruns = map(int, Path(os.environ["STAGED_DRIVER"]).read_text().split())
    return struct.pack("20i", *(0,) * 6, framing, overruns, *(0,) * 12)


fcntl.ioctl = _counting
