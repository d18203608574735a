"""Who sent a telegram: the first of logical device name, device number, system title and what else names a meter.

    system title of ISKRA   49 53 4B | T1 | F and serial      T1: 65..69; F: high nibble, function; serial: low 28 bits
    logical device name     "ISK" | T1, 3 digits | F, 2 digits | serial, 8 digits
    DIN 43863-5             "1ISK00" | serial, 8 digits

So 49534B67 742C1D81 is ISK1030770000001, and its DIN form is 1ISK0070000001: a meter has one identity, whichever it
sends. The name of a list (0-x:25.9.0, and what stands second in some lists) is the same on many meters and no identity.
"""

import re
from collections.abc import Iterable

from iskra_server.codecs.dlms.scales import ISKRA
from iskra_server.meter.identity import MAX_NAME, UNKNOWN, Identity, din_identity
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register

# system title stands between the two
_FIRST = tuple(map(Obis.parse, ("0-0:42.0.0", "0-0:96.1.0")))
_LAST = tuple(
    map(Obis.parse, ("1-0:96.1.0", "1-1:96.1.0", "1-0:0.0.0", "1-1:0.0.5", "1-1:0.0.1", "0-0:96.1.1", "1-0:0.0.9"))
)
CODES = frozenset((*_FIRST, *_LAST))
_LOGICAL_DEVICE = re.compile(r"ISK\d{13}", re.ASCII)
_DIN = re.compile(r"([1-9A-F])([A-Z]{3})([0-9A-F]{2})(\d{8})", re.ASCII)
_SERIAL = re.compile(r"\d{8}", re.ASCII)
TITLE_LENGTH = 8
SERIAL_BITS = 28
MAX_SERIAL = 99_999_999


def identify(registers: Iterable[Register], title: bytes, maker: str = "", number: bytes = b"") -> Identity:
    """Who sent a list; `number` is a meter number that stands in it without a code."""
    sent = {register.obis: register.raw for register in registers}
    for obis in _FIRST:
        if (found := _named(sent.get(obis), maker)) is not None:
            return found
    if title:
        return from_title(title)
    names = (number, *(sent.get(obis) for obis in _LAST))
    return next((found for name in names if (found := _named(name, maker)) is not None), UNKNOWN)


def from_title(title: bytes) -> Identity:
    """Who has this system title: of ISKRA meters the serial number in it, of others the title itself."""
    if len(title) == TITLE_LENGTH and title.startswith(ISKRA.encode()):
        serial = int.from_bytes(title[4:]) & (1 << SERIAL_BITS) - 1
        if serial <= MAX_SERIAL:
            return din_identity("1", ISKRA, "00", serial)
    return Identity(title.hex(), title) if title else UNKNOWN


def maker_of(title: bytes, registers: Iterable[Register]) -> str:
    """The three letters of the maker by system title or logical device name; "" where neither is sent."""
    names = (register.raw for register in registers if register.obis == _FIRST[0])
    letters = (title or next((name for name in names if isinstance(name, bytes)), b""))[:3]
    return letters.decode() if letters.isalpha() and letters.isascii() and letters.isupper() else ""


def _named(raw: int | bytes | bool | None, maker: str) -> Identity | None:
    """A text or a number as identity; None for an empty one or one of zeros."""
    if raw is None or isinstance(raw, bool):
        return None
    data = str(raw).encode() if isinstance(raw, int) else raw.strip(b"\0 ")
    if not data.strip(b"0"):
        return None
    text = data.decode("ascii", errors="replace")
    if not text.isascii() or not text.isprintable():
        return Identity(data.hex(), data)
    if _LOGICAL_DEVICE.fullmatch(text) or (maker == ISKRA and _SERIAL.fullmatch(text)):
        return din_identity("1", ISKRA, "00", int(text[-8:]))
    if match := _DIN.fullmatch(text):
        return din_identity(match[1], match[2], match[3], int(match[4]))
    name = " ".join(text.split())[:MAX_NAME]
    return Identity(name, name.encode())
