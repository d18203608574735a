"""Detects damage that the BCC misses: two equal lost characters keep the XOR (0033402.264 -> 00402.264).

A meter always writes a number with the same count of digits before and after the point. So the counts of every counter
and of every zero-padded number are remembered from the first readout, and so is the identification, which the BCC does
not cover. A readout with other counts is damaged, until three in a row agree.
"""

from collections.abc import Iterable

from msgspec import Struct

from iskra_server.codecs.text.entries import Entry
from iskra_server.codecs.text.numbers import number

_AGREEING = 3
_COUNTER = 8
_MOST = 512

Digits = dict[bytes, tuple[int, int]]


class Format(Struct, frozen=True):
    """The counts of digits of each number in a readout, by code; `fixed` are the codes whose counts never change."""

    ident: str
    digits: Digits
    fixed: frozenset[bytes]


class Widths:
    """One per stream."""

    def __init__(self) -> None:
        self._ident: str | None = None
        self._known: Digits = {}
        self._candidate: Format | None = None
        self._agreeing = 0

    def check(self, ident: str, entries: Iterable[Entry]) -> bool:
        """Whether the numbers of a readout have the remembered format; the first readout always does."""
        seen = _format(ident, entries)
        if self._ident is not None and not (self._ident == ident and _agree(self._known, seen.digits)):
            candidate = self._candidate
            agrees = candidate is not None and candidate.ident == ident and _agree(candidate.digits, seen.digits)
            self._candidate, self._agreeing = seen, self._agreeing + 1 if agrees else 1
            if self._agreeing < _AGREEING:
                return False
            self._known = {}
        self._ident, self._candidate = ident, None
        self._known |= {code: seen.digits[code] for code in seen.fixed}
        if len(self._known) > _MOST:
            self._known = {}
        return True


def _format(ident: str, entries: Iterable[Entry]) -> Format:
    digits: Digits = {}
    fixed: set[bytes] = set()
    for entry in entries:
        code = entry.code.obis
        for content in entry.sent.contents:
            value = number(content)
            if value:
                digits[code] = value.digits
                if code[3] == _COUNTER or _is_padded(content):
                    fixed.add(code)
                break
    return Format(ident, digits, frozenset(fixed))


def _is_padded(content: str) -> bool:
    """Whether a number begins with a 0 followed by a digit."""
    start = content.lstrip(" +-")
    return start[:1] == "0" and start[1:2].isdigit()


def _agree(known: Digits, seen: Digits) -> bool:
    return all(known[code] == digits for code, digits in seen.items() if code in known)
