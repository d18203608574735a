"""A plugged head, as the containers of the tests' engine see it."""

import fcntl
import os
import struct
import time
import tty
from contextlib import suppress

from deploy.engine import Engine
from telegrams import meter_entries, telegram

# what openpty does with a pseudo-terminal of this machine's own /dev (Linux, asm-generic/ioctls.h)
UNLOCK, NUMBER = 0x40045431, 0x80045430
DIALOUT = 20
NAME = "usb-Silicon_Labs_CP2102N_USB_to_UART_Bridge_Controller_0001-if00-port0"


class Head:
    """A head at a pseudo-terminal that has the stable name of a USB port in the containers' /dev."""

    def __init__(self, engine: Engine) -> None:
        self._pts = engine.dev / "pts"
        self._names = engine.dev / "serial" / "by-id"
        self._began_s = time.monotonic() - 1000
        self.plug_in()

    def plug_in(self, name: str = NAME) -> None:
        self._link = self._names / name
        self._meter = os.open(self._pts / "ptmx", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        fcntl.ioctl(self._meter, UNLOCK, struct.pack("i", 0))
        (number,) = struct.unpack("i", fcntl.ioctl(self._meter, NUMBER, bytes(4)))
        port = self._pts / str(number)
        tty.setraw(self._meter)
        os.chown(port, 0, DIALOUT)
        port.chmod(0o660)
        self._link.symlink_to(f"/dev/pts/{number}")

    def unplug(self) -> None:
        self._link.unlink()
        os.close(self._meter)

    def send(self, energy: int) -> None:
        """One telegram with that much energy, in 0.1 Wh. Nobody listening is no error."""
        # a meter that counts faster than the clock would put the clock in doubt
        seconds = int(time.monotonic() - self._began_s)
        with suppress(BlockingIOError):
            os.write(self._meter, telegram(meter_entries(energy=energy), seconds=seconds))
