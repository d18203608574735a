"""Finds telegrams in hex text within a stream and decodes them as they arrive; all other bytes pass at once, unchanged.

mac=00:08:DC:00:00:01                      heads with a network connection send telegrams among other lines
SML(1B1B1B1B01010101...1A0165AB)
1b 1b 1b 1b 01 01 01 01 76 05 ...          or as lines of hex

Hex text begins at the start of a line or behind a word and a bracket, with the first bytes of a telegram. It may have
blanks, colons, dots, hyphens and line breaks between bytes, and ends with the first other character. Binary telegrams
are safe: the text of a telegram's first bytes occurs in none. The word and the beginning of the mark pass before they
are recognised.
"""

import re
from functools import cache

_SEPARATORS = b" \t\r\n.:-"
_GAP = rb"[ \t\r\n.:-]{0,2}"
_BYTE = rb"[0-9A-F]{2}"
_LETTER = rb"(?:4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A])"
_STARTS = (
    # SML: escape and version
    (*(rb"1B",) * 4, *(rb"01",) * 4),
    # P1 and D0: /XXX5
    (rb"2F", *(_LETTER,) * 3, rb"3[0-9]"),
    # HDLC: flag, length, addresses, control, checksum of the header; then LLC
    (rb"7E", rb"A[0-9A-F]", _BYTE, rb"(?:" + _BYTE + _GAP + rb"){6,11}E6", rb"E7", rb"00"),
    # M-Bus: the length twice
    (rb"68", rb"(?P<length>" + _BYTE + rb")", rb"(?P=length)", rb"68", rb"(?:08|53|73)", _BYTE),
    # general-glo-ciphering with the system title of a maker
    (rb"DB", rb"08", *(_LETTER,) * 3),
)
_START = rb"(?:" + rb"|".join(_GAP.join(parts) for parts in _STARTS) + rb")"
# longer than any mark
_TAIL = 96
_HEX = re.compile(rb"[0-9A-F \t\r\n.:-]*", re.IGNORECASE)
_LINE_ENDS = re.compile(rb"[\r\n]+")


@cache
def _telegram() -> re.Pattern[bytes]:
    """Compiled on first use: that takes 10 ms, and a serial port needs none."""
    return re.compile(_START, re.IGNORECASE)


@cache
def _mark() -> re.Pattern[bytes]:
    before = rb"(?:(?P<bracket>[A-Z]\()|[\r\n])[ \t]{0,4}[\r\n]{0,2}"
    return re.compile(before + rb"(?P<start>" + _START + rb")", re.IGNORECASE)


class HexTextDecoder:
    """Bytes in, bytes out. Bounded memory; time proportional to the length."""

    def __init__(self) -> None:
        self._mark = _mark()
        # the end of what passed: a mark may begin in it; the stream begins with a line
        self._tail = b"\n"
        self._is_inside = self._has_bracket = False
        self._half_byte = b""

    def feed(self, data: bytes) -> bytes:
        result = bytearray()
        at = 0
        while at < len(data):
            if self._is_inside:
                match = _HEX.match(data, at)
                end = match.end() if match else at
                result += self._decode(data[at:end])
                self._is_inside = end == len(data)
                at = end
                continue
            text, before = (data, 0) if at else (self._tail + data, len(self._tail))
            mark = self._mark.search(text, at)
            if mark is None:
                self._tail = text[max(at, len(text) - _TAIL) :]
                result += data[at:]
                break
            result += data[at : max(mark.start("start") - before, at)] + bytes.fromhex(_digits(mark["start"]).decode())
            self._tail, self._half_byte, at = b"", b"", mark.end() - before
            self._is_inside, self._has_bracket = True, mark["bracket"] is not None
        return bytes(result)

    def _decode(self, text: bytes) -> bytes:
        """Within brackets a line may end anywhere; otherwise a line has whole bytes."""
        first, *others = [text] if self._has_bracket else _LINE_ENDS.split(text)
        decoded = self._decode_line(first)
        for line in others:
            self._half_byte = b""
            decoded += self._decode_line(line)
        return decoded

    def _decode_line(self, line: bytes) -> bytes:
        digits = self._half_byte + _digits(line)
        even = len(digits) // 2 * 2
        self._half_byte = digits[even:]
        return bytes.fromhex(digits[:even].decode())


def begins_telegram(text: bytes) -> bool:
    """Whether hex text begins with the first bytes of a telegram."""
    return _telegram().match(text.lstrip()) is not None


def _digits(text: bytes) -> bytes:
    return text.translate(None, _SEPARATORS)
