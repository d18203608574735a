"""Long-term statistics of Home Assistant, as its integration import_statistics exports them: CSV, TSV or JSON.

    statistic_id,unit,start,state,sum
    sensor.energy_import,kWh,22.11.2026 10:00,10732.3091,512.3
    [{"id": "sensor.energy_import", "unit": "kWh", "values": [{"datetime": "22.11.2026 10:00", "state": 10732.3091}]}]

`start` is the beginning of an hour and `state` what the counter showed last in it: the reading at its end. `sum` counts
from the day that the sensor was added, so it is no reading. Times are local, in any order.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from iskra_server.history.transfer.counter_csv import delimiter_of
from iskra_server.history.transfer.file_rows import (
    UNITS,
    BadRow,
    CounterReading,
    DatedReading,
    parse_energy,
    quote_cell,
    sort_readings,
)
from iskra_server.history.transfer.time_formats import parse_time

_HOUR_US = 3_600_000_000
_NEEDED = ("statistic_id", "start", "state")


class NotStatistics(Exception):
    """Why a file as a whole cannot be read, as a predicate: "has no column state"."""


class StatisticsRow(dict[str, str]):
    """The cells of a row by the names of their columns, and its line in the file."""

    line: int = 0


def read_rows(text: Iterable[str]) -> Iterator[StatisticsRow | BadRow]:
    """Every row of a CSV, TSV or JSON export; in JSON `line` counts the values. Raises NotStatistics."""
    lines = iter(text)
    first = next(lines, "")
    if first.lstrip().startswith("["):
        yield from _json_rows(first + "".join(lines))
    else:
        yield from _csv_rows(first, lines)


def read_statistics(
    rows: Iterable[StatisticsRow | BadRow], statistic: str | None, unit: str | None, tz: ZoneInfo
) -> Iterator[CounterReading | BadRow]:
    """The readings of one statistic in order of time; `statistic` is needed where a file holds several.

    Raises NotStatistics.
    """
    rows = list(rows)
    chosen = _chosen(sorted({row["statistic_id"] for row in rows if isinstance(row, StatisticsRow)}), statistic)
    dated: list[DatedReading] = []
    for row in rows:
        if isinstance(row, BadRow):
            yield row
        elif row["statistic_id"] == chosen:
            try:
                dated.append(_dated(row, unit, tz))
            except ValueError as error:
                yield BadRow(row.line, str(error))
    yield from sort_readings(dated)


def _chosen(ids: Sequence[str], wanted: str | None) -> str:
    if not ids:
        raise NotStatistics("holds no statistics")
    if wanted is None and len(ids) > 1:
        raise NotStatistics(f"holds several statistics; name one with --statistic: {', '.join(ids)}")
    if wanted is not None and wanted not in ids:
        raise NotStatistics(f"holds no statistic {wanted}, but {', '.join(ids)}")
    return wanted or ids[0]


def _dated(row: StatisticsRow, unit: str | None, tz: ZoneInfo) -> DatedReading:
    named = unit or row.get("unit") or "kWh"
    if named.lower() not in UNITS:
        raise ValueError(f"{quote_cell(named)} is not a unit of energy; expected Wh, kWh or MWh")
    if not row["state"]:
        raise ValueError("it has no state")
    ends = tuple(moment + _HOUR_US for moment in parse_time(row["start"], tz))
    return DatedReading(row.line, row["start"], ends, parse_energy(row["state"], named))


def _csv_rows(first: str, lines: Iterator[str]) -> Iterator[StatisticsRow | BadRow]:
    delimiter = delimiter_of(first)
    names = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    if missing := [name for name in _NEEDED if name not in names]:
        raise NotStatistics(f"has no column {missing[0]}; export it with counter_fields: both")
    rows = csv.reader(lines, delimiter=delimiter)
    for cells in rows:
        # the header is line 1
        line = rows.line_num + 1
        if cells and len(cells) != len(names):
            yield BadRow(line, f"it has {len(cells)} columns instead of {len(names)}")
        elif cells:
            row = StatisticsRow(zip(names, cells, strict=True))
            row.line = line
            yield row


def _json_rows(text: str) -> Iterator[StatisticsRow | BadRow]:
    try:
        # a float would not keep the digits
        content: Any = json.loads(text, parse_float=str, parse_int=str)
        values = [(str(entity["id"]), str(entity["unit"]), value) for entity in content for value in entity["values"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotStatistics("is not an export of import_statistics") from None
    for number, (statistic, unit, value) in enumerate(values, 1):
        if not isinstance(value, dict) or not isinstance(value.get("datetime"), str):
            yield BadRow(number, "it has no datetime")
            continue
        row = StatisticsRow(
            statistic_id=statistic, unit=unit, start=value["datetime"], state=str(value.get("state") or "")
        )
        row.line = number
        yield row
