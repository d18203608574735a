"""`fleet statement`: what the meters of a tenant or a house counted in a period, to print or as CSV."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import typer
from rich.progress import track

from iskra_server.base.language import Language
from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.open_history import Zone, load_config, open_existing, time_zone
from iskra_server.cli.ui.options import ConfigFile, examples, terminal_language
from iskra_server.cli.ui.report_files import (
    check_new,
    group_of,
    parse_report_period,
    write_report,
    write_text,
)
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.history.model.periods import quarter_time

if TYPE_CHECKING:
    # for its type alone: it imports the database library
    from iskra_server.fleet.central.label_periods import MeterPeriod

EXAMPLES = examples(
    {
        "iskra-server fleet statement --group tenant:Meyer -o meyer.html": "print",
        "iskra-server fleet statement --group building:7 --each tenant --to out": "all",
    }
)
Form = Literal["html", "csv"]
# meters that are named because they are in no statement
_LINES = 20


def statement(
    *,
    group: Annotated[str, typer.Option("--group", metavar="KIND:NAME", help="Group of meters, such as tenant:Meyer.")],
    period: Annotated[
        str,
        typer.Option("--period", metavar="PERIOD", help="2026, 2026-11, 2026-01..2026-06, last_month, ..."),
    ] = "last_month",
    each: Annotated[
        str | None,
        typer.Option(
            "--each",
            metavar="KIND",
            help="One statement for each group of this kind among the meters, such as tenant.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Folder for the files of --each.", show_default=False),
    ] = None,
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE|-", help="File to write; - is stdout.")] = "-",
    form: Annotated[
        Form | None,
        typer.Option("--format", metavar="html|csv", help="File format.", show_default="by the file name, else html"),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    lang: Annotated[
        Language | None,
        typer.Option(
            "--lang",
            metavar="en|de",
            help="Language: English or German.",
            show_default="server.language, or the terminal's",
        ),
    ] = None,
    tz: Zone = "",
    config: ConfigFile = None,
) -> None:
    """Write a statement: readings, energy and what is missing, for each meter of a group and each month."""
    # heavy imports, needed by this command only
    from iskra_server.fleet.central import statement as statements  # noqa: PLC0415
    from iskra_server.fleet.central.common_groups import in_none  # noqa: PLC0415
    from iskra_server.fleet.central.statement_files import file_names, statement_text  # noqa: PLC0415

    settings = load_config(config)
    zone, now = time_zone(tz, settings), datetime.now(UTC)
    language = lang or _language(settings.server.language)
    whole, span = group_of(group), parse_report_period(period, now, zone)
    suffix: Form = form or ("csv" if Path(output).suffix == ".csv" else "html")
    if (each is None) != (to is None):
        raise UsageError("--each needs a folder for its files (--to FOLDER), and --to is for --each alone.")
    with open_existing(settings) as store, store.snapshot() as reads:
        if each is None or to is None:
            content = statements.statement(reads, [whole], span, now, tz=zone)
            if not content.meters:
                raise UsageError(f"No meter belongs to {group} in this period; see iskra-server groups.", 1)
            write_report(output, statement_text(content, suffix, language), overwrite=overwrite)
            return
        names = statements.groups_among(reads, whole, each, span, now)
        if not names:
            raise UsageError(f"No meter of {group} belongs to a {each} in this period.", 1)
        files = {name: to / f"{file}.{suffix}" for name, file in file_names(names, span, zone).items()}
        check_new(files.values(), overwrite=overwrite)
        console = text_console(stderr=True)
        for name in track(names, "", console=console, transient=True, disable=not console.is_terminal):
            content = statements.statement(reads, [whole, name], span, now, tz=zone)
            write_text(files[name], statement_text(content, suffix, language))
        print(f"{len(files)} statements are in {to}.")
        times = statements.quarters_of(span, now)
        of_each = (statements.common_points(reads, [whole, name], *times) for name in names)
        left_out = list(in_none(statements.common_points(reads, [whole], *times), of_each))
    _print_left_out(left_out, each, zone)


def _print_left_out(points: "Sequence[MeterPeriod]", each: str, zone: ZoneInfo) -> None:
    """Empty flats, and meters that nobody has: their energy is in the house's statement, but in none of these."""
    lines = [
        f"{point.meter_id} belongs to no {each} from {_day(begin, zone)} to {_day(end, zone)}: in none of them."
        for point in points
        for begin, end in point.spans
    ]
    for line in [*lines[:_LINES], *(["..."] if len(lines) > _LINES else [])]:
        print(line)


def _day(quarter: int, zone: ZoneInfo) -> str:
    return f"{quarter_time(quarter, zone):%Y-%m-%d %H:%M}"


def _language(configured: str) -> Language:
    """That of the page, if one is configured."""
    return "de" if configured == "de" else "en" if configured == "en" else terminal_language()
