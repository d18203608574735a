"""Files with a time and a counter reading a line: those of volkszaehler, and any other with two columns.

    # source: volkszaehler.org          timestamp,kwh
    1795338000123;10732309.1;1          2026-11-22T10:00:00+01:00,10732.3091

volkszaehler: Unix milliseconds, Wh, in order of time; a third column counts merged values (lib/View/CSV.php).
"""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from zoneinfo import ZoneInfo

from iskra_server.history.transfer.file_rows import BadRow, CounterReading, DatedReading, parse_energy, sort_readings
from iskra_server.history.transfer.time_formats import parse_time

_DELIMITERS = ";\t,"
_UNIT = re.compile(r"(?<![a-z])([km]?wh)(?![a-z])", re.IGNORECASE)
_MERGED = 3
_PLACEHOLDER = ZoneInfo("UTC")


def read_vzlogger(lines: Iterable[str], unit: str | None) -> Iterator[CounterReading | BadRow]:
    """Readings in the order of the file, which may be of any length."""
    for row in _rows(lines, ";", unit or "Wh", _PLACEHOLDER, columns=_MERGED):
        yield CounterReading(row.line, row.moments[0], row.value) if isinstance(row, DatedReading) else row


def read_kwh(lines: Iterable[str], unit: str | None, tz: ZoneInfo) -> Iterator[CounterReading | BadRow]:
    """Readings in order of time. A header may name the unit, default kWh; a time without offset is in `tz`."""
    dated: list[DatedReading] = []
    lines = iter(lines)
    first = next(lines, "")
    delimiter = delimiter_of(first)
    named = _UNIT.search(first)
    for row in _rows(chain((first,), lines), delimiter, unit or (named[1] if named else "kWh"), tz, columns=2):
        if isinstance(row, BadRow):
            yield row
        else:
            dated.append(row)
    yield from sort_readings(dated)


def delimiter_of(line: str) -> str:
    """A semicolon, a tab or a comma. A comma is looked for last, as it may be a decimal comma."""
    return next((delimiter for delimiter in _DELIMITERS if delimiter in line), ",")


def _rows(
    lines: Iterable[str], delimiter: str, unit: str, tz: ZoneInfo, *, columns: int
) -> Iterator[DatedReading | BadRow]:
    rows = csv.reader(lines, delimiter=delimiter)
    is_first = True
    for row in rows:
        if not row or row[0].startswith("#"):
            continue
        try:
            yield _dated(rows.line_num, row, unit, tz, columns)
        except ValueError as error:
            if not (is_first and _is_header(row)):
                yield BadRow(rows.line_num, str(error))
        is_first = False


def _dated(line: int, row: list[str], unit: str, tz: ZoneInfo, columns: int) -> DatedReading:
    if not 2 <= len(row) <= columns:
        raise ValueError(f"it has {len(row)} columns instead of 2")
    return DatedReading(line, row[0], parse_time(row[0], tz), parse_energy(row[1], unit))


def _is_header(row: list[str]) -> bool:
    """Whether a row holds names: no cell has a digit."""
    return not any(character.isdigit() for cell in row for character in cell)
