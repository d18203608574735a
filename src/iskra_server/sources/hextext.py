"""Converts hex text to bytes: output of `od -tx1`, `hexdump -C` and `xxd`, logs, and hand-written hex.

0000000 1b 1b 1b 1b 01 01 01 01            od -tx1; addresses octal (-A d decimal, -A x hex, -A n none)
00000000  1b 1b 1b 1b  |....|              hexdump -C
00000000: 1b1b 1b1b 0101 0101  ........    xxd
*                                          the row above repeats up to the next address
[22:43:09][D][uart_debug:114]: <<< 1B:1B   ESPHome log
07:37:10.250 : 1b 1b                       Tasmota console
SML(1B1B...)                               heads that send text over the network
1B:1B 0x1b, 1Bh 1B-1B 1B.1B \\x1b 1b1b      free; a comment begins with #, // or ;  Markdown fences are skipped

Every step takes time proportional to the length of the text.
"""

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

from msgspec import Struct

# a star row may claim any length; no recording of a meter is longer
_LIMIT = 1 << 28
_FORMS = (
    "hex text is written 1b 1b, 1B:1B, 1B-1B, 0x1b or 1Bh, or comes from od -tx1, hexdump -C, xxd, an ESPHome log "
    "or a Tasmota console"
)
_SML = re.compile(r"SML\(([0-9a-f\s]*)", re.IGNORECASE)
_FENCE = re.compile(r"(?:```|~~~)\s*[\w+-]{0,20}$")
# date and time, [level][component], and the sign before the bytes: "<<<", ":" or "->"
_LOG = re.compile(
    r"\[?(?:\d{4}-\d\d-\d\d[T ])?\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?(?:-\d{1,6}|Z)?\]?\s{0,9}(?:\[[^][]{1,80}\]){0,4}"
    r"(?P<sign>:?\s{0,9}(?:<<<|>>>|->)|\s?:\s)(?P<rest>.*)"
)
# logs for terminals have colours
_COLOUR = re.compile(rb"\x1b\[[0-9;]{0,16}m")
_XXD = re.compile(r"([0-9a-f]{4,16}):\s(.*)", re.IGNORECASE)
# seven digits are an odd number, so an address; addresses of other widths only before bytes of two digits
_ROW = re.compile(r"([0-9a-f]{7}|[0-9a-f]{4,16}(?=(?:\s+[0-9a-f]{2}\b)+\s*$))(?:\s+(.*)|$)", re.IGNORECASE)
_LAST = re.compile(r"([0-9a-f]{4,16})$", re.IGNORECASE)
_COMMENT = re.compile(r"(?:#|//|(?:^|(?<=\s));|^\$).*")
_SEPARATORS = str.maketrans(dict.fromkeys(",:;.|_<>-[](){}'\"`\u200b\ufeff", " "))
_PREFIX = re.compile(r"\b0x|\\x", re.IGNORECASE)
_SUFFIXED = re.compile(r"(?:[0-9a-f]{2}h)+|[0-9a-f]h", re.IGNORECASE)
_WORDS = re.compile(r"(?:[0-9a-f]{4}\s*)+", re.IGNORECASE)
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_CONTROL = frozenset(range(0x20)) - frozenset(b"\t\n\r\f") | {0x7F}


class NotADump(ValueError):
    """Why a text has no bytes: the end of a sentence that begins with the name of the file."""


class _Row(Struct, frozen=True):
    """`address` as written, None without one; `is_star` for the line of a repetition."""

    address: str | None
    data: bytes
    is_star: bool = False


def is_text(beginning: bytes) -> bool:
    """Whether a file is text, by its first bytes; a telegram has control characters in them."""
    return _encoding(beginning) == "utf-16" or _CONTROL.isdisjoint(_COLOUR.sub(b"", beginning))


def parse(text: bytes | str) -> bytes:
    """The bytes of a dump or hex text. Raises NotADump."""
    if isinstance(text, bytes):
        text = _COLOUR.sub(b"", text).decode(_encoding(text), "replace")
    if _SML.search(text):
        return b"".join(_telegram(match[1]) for match in _SML.finditer(text))
    lines = [line for line in map(str.strip, text.splitlines()) if line and not _FENCE.match(line)]
    data = _from_log(lines)
    if data is None:
        numbered = [(number, line) for number, line in enumerate(map(_bare, text.splitlines()), 1) if line]
        data = b"".join(_expanded(_rows(numbered)))
    if not data:
        raise NotADump(f"is text without any hex bytes; {_FORMS}")
    return data


def _encoding(beginning: bytes) -> str:
    """PowerShell writes UTF-16."""
    return next((name for mark, name in _BOMS.items() if beginning.startswith(mark)), "utf-8")


def _telegram(digits: str) -> bytes:
    digits = "".join(digits.split())
    return bytes.fromhex(digits[: len(digits) // 2 * 2])


def _from_log(lines: list[str]) -> bytes | None:
    """The bytes of a log, without its other lines; None where this is no log."""
    entries = [match for line in lines if (match := _LOG.fullmatch(line.lstrip("> ")))]
    received = [entry for entry in entries if not entry["sign"].endswith(">>>")]
    read = [_hex(entry["rest"]) for entry in received or entries]
    return b"".join(data for data in read if isinstance(data, bytes)) or None


def _bare(line: str) -> str:
    """A line without text column, comment and Markdown fence."""
    line = line.strip()
    if _FENCE.match(line):
        return ""
    if form := _XXD.match(line):
        return f"{form[1]}: {form[2].partition('  ')[0]}"
    if line.endswith("|"):
        line = line.partition("  |")[0]
    elif line.endswith("<"):
        line = line.partition("  >")[0]
    return _COMMENT.sub("", line).strip()


def _rows(numbered: list[tuple[int, str]]) -> list[_Row]:
    forms = [None if line == "*" else _XXD.match(line) or _ROW.match(line) for _, line in numbered]
    has_addresses = bool(forms and forms[0]) and _are_addresses(forms)
    return [_row(number, line, has_addresses) for number, line in numbered]


def _are_addresses(forms: list[re.Match[str] | None]) -> bool:
    """Whether numbers at the start of lines are addresses: by width or colon, or because they count the bytes."""
    first = forms[0]
    if first is None:
        return False
    if first.re is _XXD or len(first[1]) == 7 or not int(first[1], 16):
        return True
    return any(
        form and after and int(after[1], 16) - int(form[1], 16) == len((form[2] or "").split())
        for form, after in pairwise(forms)
    )


def _row(number: int, line: str, has_addresses: bool) -> _Row:
    if line == "*":
        return _Row(None, b"", is_star=True)
    form = (_XXD.match(line) or _ROW.match(line) or _LAST.match(line)) if has_addresses else None
    if form is None:
        return _Row(None, _data(number, line))
    body = (form.re.groups > 1 and form[2]) or ""
    if form.re is _ROW and _WORDS.fullmatch(body):
        raise NotADump("shows words of two bytes; make the dump with od -tx1 instead")
    return _Row(form[1], _data(number, body))


def _data(number: int, text: str) -> bytes:
    data = _hex(text)
    if isinstance(data, str):
        raise NotADump(f"is neither a binary capture nor hex text: line {number} has '{data[:20]}'; {_FORMS}")
    return data


def _hex(text: str) -> bytes | str:
    """The bytes of a text, or its first word that is not hex."""
    text = _PREFIX.sub(" ", text.translate(_SEPARATORS))
    with suppress(ValueError):
        return bytes.fromhex(text)
    data = bytearray()
    for word in text.split():
        if (decoded := _decoded(word)) is None:
            return word
        data += decoded
    return bytes(data)


def _decoded(word: str) -> bytes | None:
    if _SUFFIXED.fullmatch(word):
        word = word.lower().replace("h", "")
    try:
        return bytes.fromhex(word if len(word) > 1 else f"0{word}")
    except ValueError:
        return None


def _expanded(rows: list[_Row]) -> Iterator[bytes]:
    radix = _radix(rows) if any(row.is_star for row in rows) else 0
    before: _Row | None = None
    for row, after in zip(rows, [*rows[1:], None], strict=False):
        if not row.is_star:
            yield row.data
            before = row
            continue
        if before is None or before.address is None or after is None or after.address is None:
            raise NotADump("has rows that are only marked with a star; make the dump with od -v")
        missing = int(after.address, radix) - int(before.address, radix) - len(before.data)
        if not 0 <= missing <= _LIMIT or not before.data or missing % len(before.data):
            raise NotADump(f"has addresses that do not fit around the star before {after.address}")
        yield before.data * (missing // len(before.data))


def _radix(rows: list[_Row]) -> int:
    """The base in which the addresses count the bytes of their rows; od uses seven octal digits."""
    pairs = [
        (row.address, following.address, len(row.data))
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
    raise NotADump("has addresses that do not count its bytes")
