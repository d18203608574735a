"""Detects damage that a weak check misses: two equal lost characters keep the XOR of D0 (0033402.264 -> 00402.264), and
lost characters have no parity. For P1 without a CRC it is the only check.

A meter always writes a number with the same count of digits before and after the point. So the counts of every counter
and of every zero-padded number are remembered from the first readout, and so are the identification, which the BCC does
not cover, and the identity of the meter. A readout with other counts is damaged, until three in a row agree.
"""

from collections.abc import Iterable

from msgspec import Struct

from iskra_server.codecs.text.entries import Entry

_AGREEING = 3
_COUNTER = 8
_MAX_CODES = 512
# what was a number is damaged if it is text now
_TEXT = (0, 0)

Digits = dict[bytes, tuple[int, int]]


class Format(Struct, frozen=True):
    """The counts of digits of each number, by code; `fixed` are the codes whose counts never change."""

    ident: str
    digits: Digits
    fixed: frozenset[bytes]


class Widths:
    """One per stream."""

    def __init__(self) -> None:
        self._known: Format | None = None
        self._candidate: Format | None = None
        self._agreeing = 0

    def check(self, ident: str, entries: Iterable[Entry]) -> bool:
        """Whether the numbers of a readout have the remembered format; the first readout always does.

        `ident` is the identification line, and who sent the readout.
        """
        seen, known = _format(ident, entries), self._known
        if known is not None and not _agree(known, seen):
            agrees = self._candidate is not None and _agree(self._candidate, seen)
            self._candidate, self._agreeing = seen, self._agreeing + 1 if agrees else 1
            if self._agreeing < _AGREEING:
                return False
            known = None
        self._candidate = None
        # a meter may send several lists in turn
        self._known = Format(ident, known.digits | seen.digits, known.fixed | seen.fixed) if known else seen
        if len(self._known.digits) > _MAX_CODES:
            self._known = seen
        return True


def _format(ident: str, entries: Iterable[Entry]) -> Format:
    digits: Digits = {}
    fixed: list[bytes] = []
    for entry in entries:
        if entry.register is None or entry.register.raw == b"":
            continue
        code = entry.code.obis
        digits[code] = entry.digits or _TEXT
        if entry.digits is None:
            continue
        if code[3] == _COUNTER or any(map(_is_padded, entry.sent.contents)):
            fixed.append(code)
    return Format(ident, digits, frozenset(fixed))


def _is_padded(content: str) -> bool:
    """Whether a number begins with a 0 followed by a digit."""
    start = content.lstrip(" +-")
    return start[:1] == "0" and start[1:2].isdigit()


def _agree(known: Format, seen: Format) -> bool:
    """Whether the identification and all counts are the same; those of numbers that neither pads may differ."""
    fixed = known.fixed | seen.fixed
    return known.ident == seen.ident and all(
        known.digits[code] == digits for code, digits in seen.digits.items() if code in fixed and code in known.digits
    )
