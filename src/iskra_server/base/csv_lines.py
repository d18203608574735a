"""Lines of CSV files: all that this program writes. A spreadsheet never takes a name for a formula.

Tenants, groups, meters and readers are named by people and by devices. Where such a text begins as a formula does, an
apostrophe stands before it; numbers are as they are.
"""

import re
from collections.abc import Iterable

_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_QUOTED = re.compile(r'[",\r\n]')
_GUARD = "'"


def csv_line(cells: Iterable[str | int]) -> str:
    """With commas, quotes where a cell needs them, and a line feed."""
    return ",".join(map(_cell, cells)) + "\n"


def unguarded(text: str) -> str:
    """A text of such a file, as it was before."""
    return text[1:] if text.startswith(_GUARD) and _FORMULA.match(text, 1) else text


def _cell(cell: str | int) -> str:
    text = str(cell)
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        text = _GUARD + text
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
