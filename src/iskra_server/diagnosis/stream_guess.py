"""What bytes that are no whole telegram seem to be: told by the bytes alone, never by the name of a port.

1B1B1B1B 01010101      SML           /III5..., 1-0:1.8.0(   D0, or P1 with its version or checksum
SML in which every FF stands twice, every 0A follows a 0D, and so on: a serial server that is not set to raw
7E A0|A8 .. 7E, DB 08  DLMS          68 LL LL 68            M-Bus
$GPGGA,...             GPS           OK, RING, +CREG: 1     modem
the picture of SML's start mark at another speed, or upside down (wire.py)
nearly nothing but 00 or FF: light, or a hanging line, or a far slower meter
"""

import re
from collections import Counter

from msgspec import Struct

from iskra_server.diagnosis.wire import seen

# what is looked at; two of the longest telegrams at a slower speed have more bytes than at their own
MAX_BYTES = 4096
# fewer tell nothing
_FEWEST = 16
# the rest of a telegram in which listening began is shorter
_MIN_NOISE = 600
_ESCAPE = b"\x1b" * 4
# one telegram has two; with a third, at least one went by that nobody could read
_ESCAPES = 3
# so many bytes that all look alike are no chance, and a telegram or two have them
_MIN_CHANGED = 4
_WHOLE_TELEGRAM = 300
_IAC = 0xFF
# the longest begins and the longest ends before it is whole
_CUT_CHARACTER = 6
_TELNET = re.compile(rb"\xff(?:\xff|[\xfb-\xfe].)", re.DOTALL)
_START = bytes.fromhex("1b1b1b1b01010101")
_SPEEDS = (1200, 2400, 4800, 19200)
_FLAT_SHARE = 0.9
_TEXT_SHARE = 0.95
_SHOWN = 40
_PRINTABLE = frozenset(range(0x20, 0x7F)) | frozenset(b"\r\n\t")

_HDLC = re.compile(rb"\x7e([\xa0-\xaf])(.)", re.DOTALL)
_GLO = re.compile(rb"\xdb\x08[A-Za-z]{3}.{5}[\x20-\x82]", re.DOTALL)
_MBUS = re.compile(rb"\x68(.)\1\x68", re.DOTALL)
_NMEA = re.compile(rb"\$(?:G[ABLNP]|BD)[A-Z]{3},[^\r\n*]*(?:\*[0-9A-F]{2}|\r|\n)")
_MODEM = re.compile(
    rb"(?:^|[\r\n])(?:OK|ERROR|RING|NO CARRIER|AT[+&A-Z0-9]*|\+C[A-Z]{2,6}: ?[^\r\n]*|\^[A-Z]+:[^\r\n]*)[\r\n]"
)
_METER_TEXT = re.compile(rb"/[A-Za-z]{3}[0-9A-Z]|\d-\d:\d{1,2}\.\d{1,2}\.\d{1,2}(?:\*\d+)?\(|\b[12]\.8\.[0-3]\(")
_P1 = re.compile(rb"1-3:0\.2\.8|0-0:96\.1\.4|0-0:1\.0\.0\(|![0-9A-F]{4}\r\n")


class StreamGuess(Struct, frozen=True):
    """`fault` is its row in the table of advice, `about` fills that in."""

    fault: str
    details: dict[str, str] = {}


def recognise(data: bytes) -> StreamGuess | None:
    """What the newest bytes of a port seem to be; None while nothing can be told."""
    data = data[-MAX_BYTES:]
    if len(data) < _FEWEST:
        return None
    found = _protocol(data) or _wire(data) or _stranger(data)
    return found or (StreamGuess("noise") if len(data) >= _MIN_NOISE else None)


def _protocol(data: bytes) -> StreamGuess | None:
    if _ESCAPE in data:
        return StreamGuess(_changed(data) or ("never_whole" if data.count(_ESCAPE) >= _ESCAPES else "first_telegram"))
    text = _without_parity(data)
    if text is not None and _METER_TEXT.search(text):
        return StreamGuess("p1" if _P1.search(text) else "d0")
    if _is_hdlc(data) or _GLO.search(data):
        return StreamGuess("dlms")
    return StreamGuess("mbus") if _is_mbus(data) else None


def _changed(data: bytes) -> str | None:
    """What a serial server does to the bytes of telegrams; every telegram has several FF, and most have a 0A."""
    # what the ends cut off says nothing
    inner = data.strip(b"\xff")
    if inner.count(b"\xff\xff") >= _MIN_CHANGED and _IAC not in _TELNET.sub(b"", inner):
        return "telnet"
    if data.count(b"\n") - data.startswith(b"\n") == data.count(b"\r\n") >= _MIN_CHANGED:
        return "line_ends"
    text = data.lstrip(bytes(range(0x80, 0xC0))).decode("utf-8", "ignore")
    if len(data) - len(text.encode()) <= _CUT_CHARACTER and len(data) - len(text) >= _MIN_CHANGED:
        return "characters"
    if len(data) >= _WHOLE_TELEGRAM and max(data) < 0x80:
        return "seven_bits"
    return None


def _without_parity(data: bytes) -> bytes | None:
    """7E1 that was read as 8N1, or plain text, as text; None for anything else."""
    text = bytes(byte & 0x7F for byte in data)
    if _share(text, _PRINTABLE | {0x01, 0x02, 0x03}) < _TEXT_SHARE:
        return None
    even = sum(byte.bit_count() % 2 == 0 for byte in data) >= _TEXT_SHARE * len(data)
    return text if even or max(data) < 0x80 else None


def _is_hdlc(data: bytes) -> bool:
    """A frame whose length leads to its end flag."""
    for flag in _HDLC.finditer(data):
        end = flag.start() + 1 + ((flag[1][0] & 0x07) << 8 | flag[2][0])
        if end < len(data) and end > flag.end() and data[end] == 0x7E:
            return True
    return False


def _is_mbus(data: bytes) -> bool:
    for start in _MBUS.finditer(data):
        end = start.end() + start[1][0] + 1
        if end < len(data) and data[end] == 0x16:
            return True
    return False


def _wire(data: bytes) -> StreamGuess | None:
    if any(seen(_START, 9600, is_inverted=True, waits=waits).strip(b"\0") in data for waits in (True, False)):
        return StreamGuess("inverted")
    for speed in _SPEEDS:
        if any(seen(_START, speed, waits=waits) in data for waits in (True, False)):
            return StreamGuess("speed", {"speed": str(speed)})
    return None


def _stranger(data: bytes) -> StreamGuess | None:
    if _NMEA.search(data):
        return StreamGuess("gps")
    if _share(data, _PRINTABLE) >= _TEXT_SHARE:
        shown = " ".join(data[:_SHOWN].decode("ascii", "replace").split())
        return StreamGuess("modem") if _MODEM.search(data) else StreamGuess("text", {"text": shown})
    byte, count = Counter(data).most_common(1)[0]
    if byte in (0x00, 0xFF) and count >= _FLAT_SHARE * len(data):
        return StreamGuess("flat", {"byte": f"{byte:02X}", "percent": f"{100 * count // len(data)}"})
    return None


def _share(data: bytes, among: frozenset[int] | set[int]) -> float:
    return sum(byte in among for byte in data) / len(data)
