"""`groups`: assign meters to groups (building, tenant, tariff) from a CSV table, for ever or for some time."""

import csv
from collections import defaultdict
from datetime import date
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from msgspec import Struct
from msgspec.structs import replace

from iskra_server.base.csv_lines import unguarded
from iskra_server.cli.ui.open_history import load_config, meters_by_name, open_existing, time_zone
from iskra_server.cli.ui.options import ConfigFile, command_app, examples
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.history.model.periods import FIRST_YEAR, LAST_YEAR, first_quarter

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.fleet.central.label_periods import LabelPeriod

app = command_app()
_EXAMPLES = examples(
    {
        "iskra-server groups tenants.csv": "a line per meter, or per meter and period",
    }
)
_METER, _FROM, _TO = "meter", "from", "to"


class _Line(Struct, frozen=True):
    """A line of the table: the group of each kind, from one day until before another; without a day always."""

    number: int
    meter: str
    first: date | None
    end: date | None
    groups: dict[str, str]


@app.command(epilog=_EXAMPLES)
def groups(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="CSV with a header: meter, then one column per kind of group. With the columns from and to (days such "
            "as 2026-03-01), a line counts from one day until before the other.",
        ),
    ],
    config: ConfigFile = None,
) -> None:
    """Assign meters to groups (building, tenant, tariff) from a CSV table.

    Importing it again replaces all periods of these meters in the kinds of group that it has.
    """
    from iskra_server.fleet.central.queries import set_labels  # noqa: PLC0415

    settings = load_config(config)
    lines, zone = _read(file), time_zone("", settings)
    with open_existing(settings) as store:
        names = meters_by_name(store.meters(), {line.meter for line in lines})
        labels = _labels(file, [replace(line, meter=names.get(line.meter, line.meter)) for line in lines], zone)
        unknown = set_labels(store, labels)
    print(f"{len(labels) - len(unknown)} meters are assigned to groups.")
    if unknown:
        raise UsageError(f"Not in history: {', '.join(unknown[:5])}{' ...' if len(unknown) > 5 else ''}.", 1)


def _read(file: Path) -> list[_Line]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            text = opened.read()
        first_line = text.partition("\n")[0]
        # spreadsheets of many countries, Germany's too, write semicolons
        delimiter = ";" if ";" in first_line and "," not in first_line else ","
        reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        # a quoted cell may reach over several lines
        rows = [(reader.line_num, [unguarded(cell.strip()) for cell in row]) for row in reader if row]
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error):
        raise UsageError(f"{file} is not a CSV file in UTF-8.") from None
    header = rows[0][1] if rows else []
    kinds = [name for name in header if name not in (_METER, _FROM, _TO)]
    if len(rows) < 2 or _METER not in header or not kinds:
        raise UsageError(f"{file} needs a header with meter and at least one kind of group: meter,building,tenant.")
    if "" in header or len(set(header)) < len(header):
        raise UsageError(f"The header of {file} has a column without a name or a name twice; name each column once.")
    return [_line(file, number, header, cells) for number, cells in rows[1:]]


def _line(file: Path, number: int, header: list[str], cells: list[str]) -> _Line:
    if len(cells) != len(header):
        raise UsageError(f"Line {number} of {file} has another number of cells than the header.")
    row = dict(zip(header, cells, strict=True))
    first, end = (_day(file, number, row.pop(name, "")) for name in (_FROM, _TO))
    if first and end and end <= first:
        raise UsageError(
            f"Line {number} of {file}: {_TO} is {end}, and must be later than {_FROM}, {first}: it is the first day "
            "that does not belong to the period any more."
        )
    return _Line(number, row.pop(_METER), first, end, row)


def _day(file: Path, number: int, text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # fromisoformat reads 20260301 and 2026-W09-7 too
    if day is None or day.isoformat() != text or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise UsageError(f"Line {number} of {file}: '{text}' is not a day; write it like 2026-03-01.")
    return day


def _labels(file: Path, lines: list[_Line], tz: ZoneInfo) -> "dict[str, dict[str, list[LabelPeriod]]]":
    """The periods of each meter and kind. Raises UsageError where two overlap."""
    from iskra_server.fleet.central.label_periods import LabelPeriod  # noqa: PLC0415

    labels: dict[str, dict[str, list[LabelPeriod]]] = defaultdict(lambda: defaultdict(list))
    spans: dict[tuple[str, str], list[tuple[date, date, int]]] = defaultdict(list)
    for line in lines:
        for kind, value in line.groups.items():
            # a kind without a value is named too: its periods end
            periods = labels[line.meter][kind]
            if not value:
                continue
            spans[line.meter, kind].append((line.first or date.min, line.end or date.max, line.number))
            quarters = {
                name: first_quarter(day, tz)
                for name, day in (("from_quarter", line.first), ("to_quarter", line.end))
                if day
            }
            periods.append(LabelPeriod(value, **quarters))
    for (meter, kind), periods_of_kind in spans.items():
        _check_apart(file, meter, kind, sorted(periods_of_kind))
    return {meter: dict(kinds) for meter, kinds in labels.items()}


def _check_apart(file: Path, meter: str, kind: str, spans: list[tuple[date, date, int]]) -> None:
    end, number = date.min, 0
    for first, until, line in spans:
        if first < end:
            numbers = sorted((number, line))
            raise UsageError(
                f"Lines {numbers[0]} and {numbers[1]} of {file} overlap: the meter {meter} can have one {kind} at a "
                f"time; end one period with the day on which the other begins, in the columns {_FROM} and {_TO}."
            )
        end, number = until, line
