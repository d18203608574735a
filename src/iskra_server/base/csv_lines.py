"""Lines of CSV files: all that this program writes. A spreadsheet never takes a name for a formula.

Tenants, groups, meters and readers are named by people and by devices. Where such a text begins as a formula does, an
apostrophe stands before it. So it does inside a text, after what may begin a cell: a German Excel splits lines at
semicolons, and heeds quotes only where its own cells begin. Numbers are as they are.
"""

import re
from collections.abc import Iterable

# quotes and spaces before a formula do not keep a spreadsheet from computing it
_BEGIN, _FORMULA = r"(^|[;\t\r\n])", r"""(?=[\s"']*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])"""
_UNGUARDED, _GUARDED = re.compile(_BEGIN + _FORMULA), re.compile(f"{_BEGIN}'{_FORMULA}")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_QUOTED, _QUOTED_IN_GERMAN = re.compile(r'[",\r\n]'), re.compile(r'[";\r\n]')


def csv_line(cells: Iterable[str | int]) -> str:
    """With commas, quotes where a cell needs them, and a line feed."""
    return ",".join(_cell(str(cell), _QUOTED) for cell in cells) + "\n"


def german_csv_line(cells: Iterable[str | int]) -> str:
    """As a German Excel reads it: with semicolons, and with decimal commas in numbers."""
    texts = map(str, cells)
    return ";".join(_german_cell(text) for text in texts) + "\n"


def unguarded(text: str) -> str:
    """A text of such a file, as it was before."""
    return _GUARDED.sub(r"\1", text)


def _german_cell(text: str) -> str:
    return text.replace(".", ",") if _NUMBER.fullmatch(text) else _cell(text, _QUOTED_IN_GERMAN)


def _cell(text: str, quoted: re.Pattern[str]) -> str:
    if _UNGUARDED.search(text) and not _NUMBER.fullmatch(text):
        text = _UNGUARDED.sub(r"\1'", text)
    return '"' + text.replace('"', '""') + '"' if quoted.search(text) else text
