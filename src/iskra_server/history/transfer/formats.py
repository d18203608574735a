"""The formats of files to import: recognised by their first lines, and read row by row."""

import re
from collections.abc import Iterable, Iterator
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.history.model.records import Quality
from iskra_server.history.transfer import counter_csv, home_assistant_statistics, own_export
from iskra_server.history.transfer.file_rows import BadRow, CounterReading, EnergyUnit, RecordRow
from iskra_server.history.transfer.time_formats import is_like_a_time

FileFormat = Literal["iskra", "vzlogger", "kwh", "homeassistant"]
FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)

_BUCKETS = "begin,end,"
_VZLOGGER = re.compile(r"\d{12,13};")


class UnknownFormat(Exception):
    """Why a file as a whole cannot be read, as a predicate: "is empty"."""


class FormatOptions(Struct, frozen=True):
    """What a file may not say itself; None is the default of its format."""

    tz: ZoneInfo
    unit: EnergyUnit | None = None
    statistic: str | None = None


def detect_format(beginning: list[str]) -> FileFormat:
    """The format of a file that begins with these lines. Raises UnknownFormat."""
    lines = [line.strip() for line in beginning if line.strip()]
    if not lines:
        raise UnknownFormat("is empty")
    first = lines[0]
    if first.startswith(",".join(own_export.HEADER)):
        return "iskra"
    if first.startswith(_BUCKETS):
        raise UnknownFormat("holds energy per bucket, which is not what a counter showed; export with --bucket none")
    if first.startswith((";".join(own_export.HEADER), _BUCKETS.replace(",", ";"))):
        raise UnknownFormat("is for a German Excel, its times have no offset; export with --bucket none --format csv")
    if "statistic_id" in first or first.startswith("["):
        return "homeassistant"
    if any(_VZLOGGER.match(line) for line in lines) and all(line[0] == "#" or ";" in line for line in lines):
        return "vzlogger"
    if any(is_like_a_time(line.partition(counter_csv.delimiter_of(line))[0].strip('"')) for line in lines):
        return "kwh"
    raise UnknownFormat(f"has no known format; name one with --format: {', '.join(FORMATS)}")


def is_simulated(beginning: list[str]) -> bool:
    """Whether our own export is of a simulated meter."""
    return bool(beginning) and own_export.SIMULATED in beginning[0].strip().split(",")


def read_records(lines: Iterable[str], meter_id: str) -> Iterator[RecordRow | BadRow]:
    """The records of our own export."""
    return own_export.read_records(lines, meter_id)


def read_counters(
    file_format: FileFormat, lines: Iterable[str], options: FormatOptions
) -> Iterator[CounterReading | BadRow]:
    """The readings of a file of another format, in order of time. Raises UnknownFormat."""
    match file_format:
        case "vzlogger":
            return counter_csv.read_vzlogger(lines, options.unit)
        case "homeassistant":
            return _statistics(lines, options)
        case _:
            return counter_csv.read_kwh(lines, options.unit, options.tz)


def best_quality(file_format: FileFormat) -> Quality:
    """Home Assistant keeps the last value of an hour, which may be minutes older than its end."""
    return "interpolated" if file_format == "homeassistant" else "measured"


def _statistics(lines: Iterable[str], options: FormatOptions) -> Iterator[CounterReading | BadRow]:
    try:
        yield from home_assistant_statistics.read_statistics(
            home_assistant_statistics.read_rows(lines), options.statistic, options.unit, options.tz
        )
    except home_assistant_statistics.NotStatistics as error:
        raise UnknownFormat(str(error)) from None
