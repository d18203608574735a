"""Guesses what bytes are that are no valid telegram, from the bytes alone.

1B1B1B1B 01010101      SML           /III5..., 1-0:1.8.0(   D0, or P1 with its version or checksum
SML with every FF doubled, a 0D before every 0A, and so on: a serial server that is not set to raw
7E A0|A8 .. 7E, DB 08  DLMS          68 LL LL 68            DLMS by M-Bus, or another M-Bus meter
10 40 F0 30 16         AMIS          $GPGGA,...             GPS
OK, RING, +CREG: 1     modem
SML's start mark or a line of text as it looks inverted, SML's start mark as it looks at another speed (wire.py)
almost only 00 or FF: light or a stuck line
almost only 00, 78, 80 and F8: a line that is four times as slow, whatever its protocol
"""

import re
from collections import Counter
from functools import lru_cache

from msgspec import Struct

from iskra_server.codecs.wire import READ_AT, received

# enough for two of the longest telegrams, which have more bytes when read at a wrong speed
MAX_BYTES = 4096
# fewer bytes are not enough
_MIN_BYTES = 16
# the rest of a telegram that began before the first byte is shorter
_MIN_NOISE = 600
_ESCAPE = b"\x1b" * 4
# a telegram has two; a third one means that at least one telegram was not valid
_ESCAPES = 3
# so many altered bytes are no coincidence, and one or two telegrams have them
_MIN_ALTERED = 4
_WHOLE_TELEGRAM = 300
_IAC = 0xFF
# the longest incomplete UTF-8 characters at both ends
_CUT_CHARACTER = 6
_TELNET = re.compile(rb"\xff(?:\xff|[\xfb-\xfe].)", re.DOTALL)
_START = bytes.fromhex("1b1b1b1b01010101")
_SPEEDS = (1200, 2400, 4800, 19200)
# M-Bus and many HDLC meters; at a quarter of its speed a receiver reads these bytes, some chips a few others
_SLOW_SPEED = 2400
_SLOW_BYTES = frozenset(b"\x00\x78\x80\xf8")
_SLOW_SHARE = 0.75
_MIN_SLOW_BYTES = 128
# the end of a line in P1 telegrams and readouts; what comes before it counts only until the receiver has synchronised
_LINE_END = b"*kWh)\r\n"
_SYNCHRONISED = slice(-6, -1)
_FLAT_SHARE = 0.9
_TEXT_SHARE = 0.95
_SHOWN = 40
_PRINTABLE = frozenset(range(0x20, 0x7F)) | frozenset(b"\r\n\t")

_HDLC = re.compile(rb"\x7e([\xa0-\xaf])(.)", re.DOTALL)
_GLO = re.compile(rb"\xdb\x08[A-Za-z]{3}.{5}[\x20-\x82]", re.DOTALL)
_MBUS = re.compile(rb"\x68(.)\1\x68..(.)", re.DOTALL)
# the M-Bus frames of DLMS number their parts in this field, others do not
_DLMS_PARTS = range(0x20)
# once a minute the meter asks for an answer
_AMIS = bytes.fromhex("1040f03016")
_NMEA = re.compile(rb"\$(?:G[ABLNP]|BD)[A-Z]{3},[^\r\n*]*(?:\*[0-9A-F]{2}|\r|\n)")
_MODEM = re.compile(
    rb"(?:^|[\r\n])(?:OK|ERROR|RING|NO CARRIER|AT[+&A-Z0-9]*|\+C[A-Z]{2,6}: ?[^\r\n]*|\^[A-Z]+:[^\r\n]*)[\r\n]"
)
_METER_TEXT = re.compile(rb"/[A-Za-z]{3}[0-9A-Z]|\d-\d:\d{1,2}\.\d{1,2}\.\d{1,2}(?:\*\d+)?\(|\b[12]\.8\.[0-3]\(")
_P1 = re.compile(rb"1-3:0\.2\.8|0-0:96\.1\.4|0-0:1\.0\.0\(|![0-9A-F]{4}\r\n")


class StreamGuess(Struct, frozen=True):
    """`fault` is its key in the table of advice, `details` fill its sentence."""

    fault: str
    details: dict[str, str] = {}


def recognise(data: bytes) -> StreamGuess | None:
    """A guess what the newest bytes of a port are; None while there are too few."""
    data = data[-MAX_BYTES:]
    if len(data) < _MIN_BYTES:
        return None
    guess = _protocol(data) or _wire(data) or _other(data)
    return guess or (StreamGuess("noise") if len(data) >= _MIN_NOISE else None)


def _protocol(data: bytes) -> StreamGuess | None:
    if _ESCAPE in data:
        return StreamGuess(
            _altered(data) or ("no_valid_telegram" if data.count(_ESCAPE) >= _ESCAPES else "first_telegram")
        )
    text = _without_parity(data)
    if text is not None and _METER_TEXT.search(text):
        return StreamGuess("p1" if _P1.search(text) else "d0")
    if _is_hdlc(data) or _GLO.search(data):
        return StreamGuess("dlms")
    return StreamGuess("amis") if _AMIS in data else _mbus(data)


def _altered(data: bytes) -> str | None:
    """How a serial server altered the bytes of telegrams; every telegram has several FF, and most have a 0A."""
    # sequences that are cut off at the ends do not count
    inner = data.strip(b"\xff")
    if inner.count(b"\xff\xff") >= _MIN_ALTERED and _IAC not in _TELNET.sub(b"", inner):
        return "telnet"
    if data.count(b"\n") - data.startswith(b"\n") == data.count(b"\r\n") >= _MIN_ALTERED:
        return "line_ends"
    text = data.lstrip(bytes(range(0x80, 0xC0))).decode("utf-8", "ignore")
    if len(data) - len(text.encode()) <= _CUT_CHARACTER and len(data) - len(text) >= _MIN_ALTERED:
        return "characters"
    if len(data) >= _WHOLE_TELEGRAM and max(data) < 0x80:
        return "seven_bits"
    return None


def _without_parity(data: bytes) -> bytes | None:
    """Text that was sent as 7E1 or 8N1; None for other bytes."""
    text = bytes(byte & 0x7F for byte in data)
    if _share(text, _PRINTABLE | {0x01, 0x02, 0x03}) < _TEXT_SHARE:
        return None
    even = sum(byte.bit_count() % 2 == 0 for byte in data) >= _TEXT_SHARE * len(data)
    return text if even or max(data) < 0x80 else None


def _is_hdlc(data: bytes) -> bool:
    """Whether there is a frame whose length leads to its end flag."""
    for flag in _HDLC.finditer(data):
        end = flag.start() + 1 + ((flag[1][0] & 0x07) << 8 | flag[2][0])
        if end < len(data) and end > flag.end() and data[end] == 0x7E:
            return True
    return False


def _mbus(data: bytes) -> StreamGuess | None:
    for start in _MBUS.finditer(data):
        end = start.start() + 4 + start[1][0] + 1
        if end < len(data) and data[end] == 0x16:
            return StreamGuess("dlms" if start[2][0] in _DLMS_PARTS else "mbus")
    return None


def _wire(data: bytes) -> StreamGuess | None:
    if any(
        received(_START, READ_AT, is_inverted=True, resyncs=resyncs).strip(b"\0") in data for resyncs in (True, False)
    ):
        return StreamGuess("inverted")
    if any(picture in data for picture in _inverted_lines()):
        return StreamGuess("inverted")
    for speed in _SPEEDS:
        if any(received(_START, speed, resyncs=resyncs) in data for resyncs in (True, False)):
            return StreamGuess("speed", {"speed": str(speed)})
    return None


@lru_cache(maxsize=1)
def _inverted_lines() -> frozenset[bytes]:
    """What a receiver reads of an inverted line of text, behind any digit: a P1 cable without an inverter does that."""
    # most readers need SML alone
    from iskra_server.codecs.text.parity import with_parity  # noqa: PLC0415

    return frozenset(
        received(text, READ_AT, is_inverted=True, resyncs=resyncs)[_SYNCHRONISED]
        for digit in b"0123456789"
        for plain in (bytes((*b"0012.34", digit, *_LINE_END)),)
        for text in (plain, with_parity(plain))
        for resyncs in (True, False)
    )


def _slower(data: bytes) -> StreamGuess | None:
    is_slow = len(data) >= _MIN_SLOW_BYTES and set(data) >= _SLOW_BYTES and _share(data, _SLOW_BYTES) >= _SLOW_SHARE
    return StreamGuess("speed", {"speed": str(_SLOW_SPEED)}) if is_slow else None


def _other(data: bytes) -> StreamGuess | None:
    if _NMEA.search(data):
        return StreamGuess("gps")
    if _share(data, _PRINTABLE) >= _TEXT_SHARE:
        shown = " ".join(data[:_SHOWN].decode("ascii", "replace").split())
        return StreamGuess("modem") if _MODEM.search(data) else StreamGuess("text", {"text": shown})
    byte, count = Counter(data).most_common(1)[0]
    if byte in (0x00, 0xFF) and count >= _FLAT_SHARE * len(data):
        return StreamGuess("flat", {"byte": f"{byte:02X}", "percent": f"{100 * count // len(data)}"})
    return _slower(data)


def _share(data: bytes, values: frozenset[int] | set[int]) -> float:
    return sum(byte in values for byte in data) / len(data)
