"""What to change in a line that is not TOML: the parser names the place, and this the usual mistakes."""

import re

from iskra_server.base.language import Bilingual

_PLACE = re.compile(r"at line ([0-9]+)")
_END = "at end of document"
_HINTS = (
    (
        re.compile(r"=\s*[+-]?[0-9]+,[0-9]"),
        ("write a decimal point, as in 0.3265", "schreiben Sie einen Dezimalpunkt, wie in 0.3265"),
    ),
    (
        re.compile(r"=\s*[0-9]{1,2}[.-][0-9]{1,2}[.-][0-9]{2,4}"),
        (
            "write a date as year-month-day, as in 2026-01-01",
            "schreiben Sie ein Datum als Jahr-Monat-Tag, wie in 2026-01-01",
        ),
    ),
    (
        re.compile(r"[“”„‟«»‘’]"),
        ('write straight quotes, as in "text"', 'schreiben Sie gerade Anführungszeichen, wie in "Text"'),
    ),
    (
        re.compile(r"=\s*(?:[^\W\d_]|[/~])"),
        ('write text in quotes, as in "text"', 'schreiben Sie Text in Anführungszeichen, wie in "Text"'),
    ),
    (
        re.compile(r"=\s*[0-9.]+\s*(€|EUR|ct|%)", re.IGNORECASE),
        ("write the number alone, without its unit", "schreiben Sie nur die Zahl, ohne Einheit"),
    ),
)
# how the parser says that something is there twice
_TWICE = re.compile(r"Cannot (overwrite|declare|redefine)|Duplicate ")
_ONCE = ("write each key and each section once", "schreiben Sie jeden Schlüssel und jeden Abschnitt einmal")
# words of TOML that need no quotes
_WORDS = re.compile(r"=\s*(true|false|inf|nan)\b")


def toml_hint(text: str, error: Exception) -> Bilingual:
    """The end of the sentence about `error`: "; ...", or "" where the line shows no usual mistake."""
    number = line_of_error(text, error)
    if number is None:
        return "", ""
    line = text.splitlines()[number - 1]
    usual = (hint for pattern, hint in _HINTS if pattern.search(line) and not _WORDS.search(line))
    hint = _ONCE if _TWICE.match(str(error)) else next(usual, None)
    return (f"; {hint[0]}", f"; {hint[1]}") if hint else ("", "")


def line_of_error(text: str, error: Exception) -> int | None:
    """The line, from 1 on, that the parser names; the last one of a text that ends too early."""
    place, last = _PLACE.search(str(error)), len(text.splitlines())
    number = int(place[1]) if place else last if _END in str(error) else 0
    return number if 0 < number <= last else None
