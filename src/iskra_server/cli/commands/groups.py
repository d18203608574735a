"""`groups`: assign meters to groups (building, tenant, tariff) from a CSV table, for ever or for some time."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
from io import StringIO
from itertools import pairwise
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
_BUILDING, _TENANT = "building", "tenant"
# names that a spreadsheet may have begun with a capital letter; other kinds of group are as they are written
_KNOWN_COLUMNS = (_METER, _FROM, _TO, _BUILDING, _TENANT, "tariff")
# of other countries' spreadsheets 2026-03-01 comes back as 01.03.2026: the day is first wherever dots are written
_DOTTED_DAY = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
# hints that are printed; the first ones show what is wrong with a whole table
_HINTS = 10
_Span = tuple[date, date, int]


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
        names = meters_by_name(store, {line.meter for line in lines})
        lines = [replace(line, meter=names.get(line.meter, line.meter)) for line in lines]
        spans = _spans(lines)
        _check_apart(file, spans)
        labels = _labels(lines, zone)
        unknown = set_labels(store, labels)
    kinds = ", ".join(lines[0].groups)
    print(f"{len(labels) - len(unknown)} meters are assigned to groups: {kinds}.")
    hints = [*_missing_days(file, spans), *_tenants_of_several_buildings(lines)]
    print(*hints[:_HINTS], *(["..."] if len(hints) > _HINTS else []), sep="\n", end="\n" if hints else "")
    if unknown:
        names_of = f"{', '.join(unknown[:5])}{' ...' if len(unknown) > 5 else ''}"
        raise UsageError(
            f"Not in history: {names_of}. Correct these numbers, or import the table again when their readers have "
            "sent something.",
            1,
        )


def _read(file: Path) -> list[_Line]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            text = opened.read()
        first_line = text.partition("\n")[0]
        # spreadsheets of many countries, Germany's too, write semicolons
        delimiter = ";" if ";" in first_line and "," not in first_line else ","
        reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        # a quoted cell may reach over several lines
        rows = [(reader.line_num, [unguarded(cell.strip()) for cell in row]) for row in reader if any(row)]
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error):
        raise UsageError(f"{file} is not a CSV file in UTF-8; in Excel, save it as CSV UTF-8.") from None
    header = [name.lower() if name.lower() in _KNOWN_COLUMNS else name for name in rows[0][1]] if rows else []
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
    if not (meter := row.pop(_METER)):
        raise UsageError(f"Line {number} of {file} has no number in the column {_METER}.")
    for kind, value in row.items():
        # a tenant would see all years instead of his own
        if _parsed_day(value):
            raise UsageError(
                f"Line {number} of {file}: the column {kind} has a day, {value}. Days stand in the columns {_FROM} "
                f"and {_TO}; give it one of these names."
            )
    return _Line(number, meter, first, end, row)


def _day(file: Path, number: int, text: str) -> date | None:
    if not text:
        return None
    day = _parsed_day(text)
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise UsageError(f"Line {number} of {file}: '{text}' is not a day; write it like 2026-03-01 or 01.03.2026.")
    return day


def _parsed_day(text: str) -> date | None:
    with suppress(ValueError):
        if dotted := _DOTTED_DAY.fullmatch(text):
            day, month, year = map(int, dotted.groups())
            return date(year, month, day)
        # fromisoformat reads 20260301 and 2026-W09-7 too
        if (iso := date.fromisoformat(text)).isoformat() == text:
            return iso
    return None


def _labels(lines: Sequence[_Line], tz: ZoneInfo) -> "dict[str, dict[str, list[LabelPeriod]]]":
    """The periods of each meter and kind."""
    from iskra_server.fleet.central.label_periods import LabelPeriod  # noqa: PLC0415

    labels: dict[str, dict[str, list[LabelPeriod]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        quarters = {
            name: first_quarter(day, tz)
            for name, day in (("from_quarter", line.first), ("to_quarter", line.end))
            if day
        }
        for kind, value in line.groups.items():
            # a kind without a value is named too: its periods end
            periods = labels[line.meter][kind]
            if value:
                periods.append(LabelPeriod(value, **quarters))
    return {meter: dict(kinds) for meter, kinds in labels.items()}


def _spans(lines: Sequence[_Line]) -> dict[tuple[str, str], list[_Span]]:
    """By meter and kind, in order of time: the days, and the line."""
    spans: dict[tuple[str, str], list[_Span]] = defaultdict(list)
    for line in lines:
        for kind, value in line.groups.items():
            if value:
                spans[line.meter, kind].append((line.first or date.min, line.end or date.max, line.number))
    return {key: sorted(of_kind) for key, of_kind in spans.items()}


def _check_apart(file: Path, spans: dict[tuple[str, str], list[_Span]]) -> None:
    """Raises UsageError where two periods of a meter and kind overlap."""
    for (meter, kind), of_kind in spans.items():
        for (_, end, number), (first, _, line) in pairwise(of_kind):
            if first < end:
                numbers = sorted((number, line))
                raise UsageError(
                    f"Lines {numbers[0]} and {numbers[1]} of {file} overlap: the meter {meter} can have one {kind} at "
                    f"a time; end one period with the day on which the other begins, in the columns {_FROM} and {_TO}."
                )


def _missing_days(file: Path, spans: dict[tuple[str, str], list[_Span]]) -> Iterator[str]:
    """A single day between two periods: `to` was taken for the last day that belongs to the first of them."""
    kinds: dict[tuple[str, int, int, date], list[str]] = defaultdict(list)
    for (meter, kind), of_kind in spans.items():
        for (_, end, number), (first, _, line) in pairwise(of_kind):
            if first - end == timedelta(days=1):
                kinds[meter, min(number, line), max(number, line), end].append(kind)
    for (meter, number, line, day), of_day in kinds.items():
        yield (
            f"Lines {number} and {line} of {file}: on {day} the meter {meter} has no {', no '.join(of_day)}. {_TO} is "
            f"the first day that does not belong to the period any more; write {day + timedelta(days=1)} if {day} "
            "belongs to it."
        )


def _tenants_of_several_buildings(lines: Sequence[_Line]) -> Iterator[str]:
    """Two people of one name would get each other's statement."""
    buildings: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        if (tenant := line.groups.get(_TENANT)) and (building := line.groups.get(_BUILDING)):
            buildings[tenant].add(building)
    for tenant, of_tenant in buildings.items():
        if len(of_tenant) > 1:
            yield (
                f"{tenant} is a tenant in the buildings {', '.join(sorted(of_tenant))}: one tenant with one statement, "
                "and a token for him shows all of it. Give two people two names."
            )
