"""What a BCC does not see: two equal characters lost, which leave the XOR as it is (0033402.264 -> 00402.264).

A meter writes each number with the same digits before and behind the point. So the digits of every counter, and of
every other number that begins with a 0 before a digit, are remembered from the first readout on; so is the
identification, which no BCC covers. A readout in which one of them changes is damaged, until three in a row agree.
"""

from collections.abc import Iterable

from msgspec import Struct

from iskra_server.codecs.text.entries import Entry
from iskra_server.codecs.text.numbers import number

_AGREEING = 3
_COUNTER = 8
_MOST = 512

Digits = dict[bytes, tuple[int, int]]


class Look(Struct, frozen=True):
    """The digits of each number in a readout, by code; `fixed` are the codes whose number always has that many."""

    ident: str
    digits: Digits
    fixed: frozenset[bytes]


class Widths:
    """One per stream."""

    def __init__(self) -> None:
        self._ident: str | None = None
        self._known: Digits = {}
        self._other: Look | None = None
        self._agreeing = 0

    def fit(self, ident: str, entries: Iterable[Entry]) -> bool:
        """Whether the numbers of a readout look as always; the first one always does."""
        seen = _look(ident, entries)
        if self._ident is not None and not (self._ident == ident and _agree(self._known, seen.digits)):
            other = self._other
            agrees = other is not None and other.ident == ident and _agree(other.digits, seen.digits)
            self._other, self._agreeing = seen, self._agreeing + 1 if agrees else 1
            if self._agreeing < _AGREEING:
                return False
            self._known = {}
        self._ident, self._other = ident, None
        self._known |= {code: seen.digits[code] for code in seen.fixed}
        if len(self._known) > _MOST:
            self._known = {}
        return True


def _look(ident: str, entries: Iterable[Entry]) -> Look:
    digits: Digits = {}
    fixed: set[bytes] = set()
    for entry in entries:
        code = entry.code.obis
        for content in entry.sent.contents:
            found = number(content)
            if found:
                digits[code] = found.digits
                if code[3] == _COUNTER or _is_padded(content):
                    fixed.add(code)
                break
    return Look(ident, digits, frozenset(fixed))


def _is_padded(content: str) -> bool:
    """Whether a number begins with a 0 before a digit."""
    start = content.lstrip(" +-")
    return start[:1] == "0" and start[1:2].isdigit()


def _agree(known: Digits, seen: Digits) -> bool:
    return all(known[code] == digits for code, digits in seen.items() if code in known)
