"""What was found on each serial port, kept over restarts in ports.json in the data folder.

{"/dev/serial/by-id/usb-FTDI_FT232R-if00-port0": {"protocol": "d0", "baud": 9600, "is_polled": true, "speed": "5"}}

It holds no secret. Without the file, or with a damaged one, every port is searched as if it were new.
"""

import logging
import os
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from iskra_server.codecs.decoder import DECODERS
from iskra_server.sources.source import LineSettings
from iskra_server.sources.source_options import FORMATS

if TYPE_CHECKING:
    from iskra_server.codecs.d0.speeds import Learned

FILE = "ports.json"
# what an acknowledgement may ask for, and longer than any delay that is tried (codecs/d0/speeds.py)
_SPEEDS = (None, "", *"0123456")
_MAX_DELAY_S = 1.0

log = logging.getLogger("iskra_server.sources")


class FoundMeter(Struct, frozen=True, omit_defaults=True):
    """A meter on a port. `speed` and `delay_s` are what has worked with one that is asked (codecs/d0/speeds.py).

    Raises ValueError for what no search finds: the file may be edited, and speed and delay decide what is sent.
    """

    protocol: str
    baud: int = LineSettings().baud
    format: str = LineSettings().format
    is_polled: bool = False
    speed: str | None = None
    delay_s: float = 0.0

    def __post_init__(self) -> None:
        has_line = self.format in FORMATS and self.baud > 0 and hasattr(termios, f"B{self.baud}")
        has_delay = self.speed in _SPEEDS and 0.0 <= self.delay_s <= _MAX_DELAY_S
        if self.protocol not in DECODERS or (self.is_polled and self.protocol != "d0") or not (has_line and has_delay):
            raise ValueError("no settings of a meter")

    @property
    def settings(self) -> LineSettings:
        return LineSettings(self.baud, self.format)


def polled(settings: "Learned | None" = None) -> FoundMeter:
    """A D0 meter that is asked, with the settings that have worked."""
    if settings is None:
        return FoundMeter("d0", is_polled=True)
    return FoundMeter("d0", is_polled=True, speed=settings.speed, delay_s=settings.delay_s)


def learned(found: FoundMeter | None) -> "Learned | None":
    """The settings that have worked with a meter that is asked."""
    if found is None or found.speed is None:
        return None
    # imported where a meter is asked: most readers need SML alone
    from iskra_server.codecs.d0.speeds import Learned  # noqa: PLC0415

    return Learned(found.speed, found.delay_s)


class PortMemory:
    """Reads its file at each use: several programs share it. Without a folder it remembers nothing.

    Without `writes` it only reads: a command must not make files of another user in the folder of the server.
    """

    def __init__(self, folder: Path | None = None, *, writes: bool = True) -> None:
        self._path = folder and folder / FILE
        self._writes = writes
        self._has_failed = False

    def recall(self, port: str) -> FoundMeter | None:
        return self._read().get(port)

    def remember(self, port: str, found: FoundMeter) -> None:
        """Written at once, and only if it differs."""
        if self._path is None or not self._writes:
            return
        ports = self._read()
        if ports.get(port) == found:
            return
        part = self._path.with_name(f"{FILE}.{os.getpid()}")
        data = msgspec.json.format(msgspec.json.encode(ports | {port: found}))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data + b"\n")
            part.replace(self._path)
        except OSError as error:
            self._warn(f"cannot be written ({error.strerror}): after a restart every port is searched again")

    def _read(self) -> dict[str, FoundMeter]:
        if self._path is None:
            return {}
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, FoundMeter])
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._warn(f"cannot be read ({error.strerror}): every port is searched for its meter")
        except ValueError:
            self._warn("is damaged: every port is searched for its meter")
        return {}

    def _warn(self, reason: str) -> None:
        if not self._has_failed:
            self._has_failed = True
            log.warning("%s %s.", self._path, reason)
