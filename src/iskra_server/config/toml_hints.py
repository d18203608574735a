"""What to change in a line that is not TOML: the parser names the place, and this the usual mistakes."""

import re

_PLACE = re.compile(r"at line ([0-9]+)")
_HINTS = (
    (re.compile(r"=\s*[+-]?[0-9]+,[0-9]"), "write a decimal point, as in 0.3265"),
    (re.compile(r"=\s*[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2,4}"), "write a date as year-month-day, as in 2026-01-01"),
    (re.compile(r"=\s*[0-9]{1,2}-[0-9]{1,2}-[0-9]{2,4}"), "write a date as year-month-day, as in 2026-01-01"),
    (re.compile(r"[“”„‟«»‘’]"), 'write straight quotes, as in "text"'),
    (re.compile(r"=\s*[^\W\d_]"), 'write text in quotes, as in "text"'),
    (re.compile(r"=\s*[0-9.]+\s*(€|EUR|ct|%)", re.IGNORECASE), "write the number alone, without its unit"),
)
# words of TOML that need no quotes
_WORDS = re.compile(r"=\s*(true|false|inf|nan)\b")


def toml_hint(text: str, error: Exception) -> str:
    """The end of the sentence about `error`: " (...)", or "" where the line shows no usual mistake."""
    place = _PLACE.search(str(error))
    lines = text.splitlines()
    if place is None or not 0 < int(place[1]) <= len(lines):
        return ""
    line = lines[int(place[1]) - 1]
    hint = next((hint for pattern, hint in _HINTS if pattern.search(line) and not _WORDS.search(line)), "")
    return f"; {hint}" if hint else ""
