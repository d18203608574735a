"""Octets out of text: what `od -tx1`, `hexdump -C` and `xxd` print, and hex as people write it.

0000000 1b 1b 1b 1b 01 01 01 01            od -tx1; addresses octal (-A d decimal, -A x hex, -A n none)
00000000  1b 1b 1b 1b  |....|              hexdump -C
00000000: 1b1b 1b1b 0101 0101  ........    xxd
*                                          the row before repeats up to the next address
1B:1B 0x1b, \\x1b 1b1b                      free; a comment begins with #, // or ;
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

# a star may claim any length; no recording of a meter is longer
_LIMIT = 1 << 28
_XXD = re.compile(r"([0-9a-f]{6,16}):\s(.*)", re.IGNORECASE)
# seven digits are no whole octets, so they are an address; other widths only before octets of two digits
_ROW = re.compile(r"([0-9a-f]{7}|[0-9a-f]{6,16}(?=(?:\s+[0-9a-f]{2}\b)+\s*$))(?:\s+(.*)|$)", re.IGNORECASE)
_LAST = re.compile(r"([0-9a-f]{6,16})$", re.IGNORECASE)
_TEXT_COLUMN = re.compile(r"\s+\|.*$|\s+>.*<$")
_COMMENT = re.compile(r"(#|//|;|^\$).*")
_SEPARATORS = re.compile(r"\b0x|\\x|[\s,:\[\](){}'\"]+", re.IGNORECASE)
_WORDS = re.compile(r"(?:[0-9a-f]{4}\s*)+", re.IGNORECASE)
_CONTROL = frozenset(range(0x20)) - frozenset(b"\t\n\r\f") | {0x7F}


class NotADump(ValueError):
    """Why a text holds no octets, as the end of a sentence."""


class _Row(Struct, frozen=True):
    """`address` as written, None in free text; `is_star` for the line that stands for repetitions."""

    address: str | None
    octets: bytes
    is_star: bool = False


def is_text(beginning: bytes) -> bool:
    """Whether a file is text, by its beginning; a telegram has control characters within its first octets."""
    return _CONTROL.isdisjoint(beginning)


def parse(text: str) -> bytes:
    """The octets that a dump or hex text stands for. Raises NotADump."""
    written = [(number, line) for number, line in enumerate(map(_bare, text.splitlines()), 1) if line]
    has_addresses = any(_XXD.match(line) or _ROW.match(line) for _, line in written[:1])
    rows = [_row(number, line, has_addresses) for number, line in written]
    octets = b"".join(_expanded(rows))
    if not octets:
        raise NotADump("is text without any hex octets")
    return octets


def _bare(line: str) -> str:
    """A line without text column and comment."""
    if form := _XXD.match(line.strip()):
        return f"{form[1]}: {re.split(r' {2,}', form[2])[0]}"
    return _COMMENT.sub("", _TEXT_COLUMN.sub("", line.strip())).strip()


def _row(number: int, line: str, has_addresses: bool) -> _Row:
    if line == "*":
        return _Row(None, b"", is_star=True)
    form = (_XXD.match(line) or _ROW.match(line) or _LAST.match(line)) if has_addresses else None
    if form is None:
        return _Row(None, _octets(number, line))
    body = (form.re.groups > 1 and form[2]) or ""
    if form.re is _ROW and _WORDS.fullmatch(body):
        raise NotADump("shows words of two octets; make the dump with od -tx1 instead")
    return _Row(form[1], _octets(number, body))


def _octets(number: int, text: str) -> bytes:
    result = b""
    for token in filter(None, _SEPARATORS.split(text)):
        try:
            result += bytes.fromhex(token if len(token) > 1 else f"0{token}")
        except ValueError:
            raise NotADump(f"is neither a binary capture nor a hex dump: line {number} has '{token[:20]}'") from None
    return result


def _expanded(rows: list[_Row]) -> Iterator[bytes]:
    radix = _radix(rows) if any(row.is_star for row in rows) else 0
    before: _Row | None = None
    for row, after in zip(rows, [*rows[1:], None], strict=False):
        if not row.is_star:
            yield row.octets
            before = row
            continue
        if before is None or before.address is None or after is None or after.address is None:
            raise NotADump("has rows that are only marked with a star; make the dump with od -v")
        missing = int(after.address, radix) - int(before.address, radix) - len(before.octets)
        if not 0 <= missing <= _LIMIT or not before.octets or missing % len(before.octets):
            raise NotADump(f"has addresses that do not fit around the star before {after.address}")
        yield before.octets * (missing // len(before.octets))


def _radix(rows: list[_Row]) -> int:
    """The base in which the addresses count the octets of their rows; od uses seven octal digits."""
    pairs = [
        (row.address, following.address, len(row.octets))
        for row, following in pairwise(rows)
        if row.address and following.address
    ]
    short = all(len(row.address) == 7 for row in rows if row.address)
    for radix in (8, 10, 16) if short else (16, 10, 8):
        try:
            if all(int(after, radix) - int(before, radix) == length for before, after, length in pairs):
                return radix
        except ValueError:
            continue
    raise NotADump("has addresses that do not count its octets")
