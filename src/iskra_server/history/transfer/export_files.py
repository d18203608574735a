"""Writes a table as CSV, or as Parquet with exact decimals and times in their zone."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, BinaryIO, TextIO
from zoneinfo import ZoneInfo

from iskra_server.base.csv_lines import csv_line, german_csv_line
from iskra_server.base.installation import how_to_add
from iskra_server.history.transfer.export_table import Cell, ExportTable, Kind

# the digits that a decimal of Parquet can have
_DIGITS = 38


class NoParquet(Exception):
    """The library for Parquet is missing; the text is a sentence."""


def write_csv(table: ExportTable, file: TextIO) -> None:
    """With commas, decimal points, one header line, and ISO 8601 times with offset."""
    file.write(csv_line(table.columns))
    file.writelines(csv_line(map(_text, row)) for row in table.rows)


def write_german_csv(table: ExportTable, file: TextIO) -> None:
    """For a German Excel: semicolons, decimal commas, local times that it takes for times, and the mark of UTF-8.

    Each time is there in UTC too, behind the other columns: in October a local hour comes twice.
    """
    times = [place for place, kind in enumerate(table.columns.values()) if kind == "time"]
    names = list(table.columns)
    file.write("\ufeff" + german_csv_line([*names, *(f"{names[place]}_utc" for place in times)]))
    for row in table.rows:
        in_utc = (cell.astimezone(UTC) for place in times if isinstance(cell := row[place], datetime))
        file.write(german_csv_line(map(_german_text, (*row, *in_utc))))


def write_parquet(table: ExportTable, file: BinaryIO, tz: ZoneInfo) -> None:
    """Columns of exact decimals, timestamps in `tz`, text and integers. Raises NoParquet."""
    try:
        import pyarrow  # type: ignore[import-untyped]  # noqa: PLC0415 (large and optional)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise NoParquet(f"Parquet needs the library pyarrow: {how_to_add('parquet')}.") from None
    rows = list(table.rows)
    columns = {}
    for place, (name, kind) in enumerate(table.columns.items()):
        cells = [row[place] for row in rows]
        columns[name] = pyarrow.array(cells, _KINDS[kind](pyarrow, cells, tz))
    parquet.write_table(pyarrow.table(columns), file)


def _text(cell: Cell) -> str:
    match cell:
        case datetime():
            return cell.isoformat()
        case Decimal():
            return format(cell, "f")
        case bool():
            return str(cell).lower()
        case None:
            return ""
        case _:
            return str(cell)


def _german_text(cell: Cell) -> str:
    return f"{cell:%Y-%m-%d %H:%M:%S}" if isinstance(cell, datetime) else _text(cell)


def _decimal(arrow: Any, cells: list[Cell], _tz: ZoneInfo) -> Any:
    exponents = (cell.as_tuple().exponent for cell in cells if isinstance(cell, Decimal))
    return arrow.decimal128(_DIGITS, max((-exponent for exponent in exponents if isinstance(exponent, int)), default=0))


_KINDS: dict[Kind, Callable[[Any, list[Cell], ZoneInfo], Any]] = {
    "time": lambda arrow, _cells, tz: arrow.timestamp("us", tz=tz.key),
    "energy": _decimal,
    "text": lambda arrow, _cells, _tz: arrow.string(),
    "number": lambda arrow, _cells, _tz: arrow.int64(),
    "flag": lambda arrow, _cells, _tz: arrow.bool_(),
}
