"""`fleet`: the readers of a central server, the meters that they have, and values that differ."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from iskra_server.base.json_values import utc
from iskra_server.cli.commands import fleet_allocate, fleet_statement
from iskra_server.cli.commands.fleet_enroll import enroll
from iskra_server.cli.commands.fleet_status import status
from iskra_server.cli.commands.fleet_verify import verify
from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.open_history import Zone, load_config, open_existing, stored_meter, time_zone
from iskra_server.cli.ui.options import ConfigFile, Json, group_app
from iskra_server.cli.ui.usage_error import UsageError, usage_errors
from iskra_server.history.model.periods import parse_span
from iskra_server.history.model.records import QUARTER_S, quarter_of
from iskra_server.history.store import StoreError

if TYPE_CHECKING:
    # for their types alone: they bring the database library along
    from iskra_server.config import Config
    from iskra_server.fleet.central.conflicts import Conflict
    from iskra_server.fleet.central.reader_state import ReaderRow
    from iskra_server.history.store.store import Store

app = group_app(
    "Manage the readers of a central server, their meters and conflicting values.",
    {
        "iskra-server fleet status": "what is wrong, on one screen",
        "iskra-server fleet enroll --help": "a new reader",
        "iskra-server fleet readers": "all readers, and what is wrong",
        "iskra-server fleet move METER --to house-8": "another reader reads it now",
        "iskra-server fleet conflicts": "values that differ from those kept",
    },
)
_PAGE = 1000
app.command()(enroll)
app.command()(status)


@app.command()
def readers(config: ConfigFile = None, json: Json = False) -> None:
    """List the readers. Exit status 1 if something is wrong with one of them."""
    from iskra_server.fleet.central.reader_problems import problem  # noqa: PLC0415

    now_s = time.time()
    with open_existing(load_config(config)) as store:
        found = [(row, problem(row, now_s)) for row in _all_readers(store)]
    rows = [(row, str(wrong.en) if wrong else "") for row, wrong in found]
    if json:
        for row, sentence in rows:
            print(msgspec.json.encode(_reader_object(row, sentence)).decode())
    elif rows:
        _print(_readers_table(rows))
    else:
        print("No reader has sent anything yet.")
    raise typer.Exit(1 if any(sentence for _, sentence in rows) else 0)


@app.command()
def move(
    meter: Annotated[str, typer.Argument(metavar="METER", help="Meter that another reader reads now.")],
    to: Annotated[str, typer.Option("--to", metavar="READER", help="The reader; it must be connected already.")],
    config: ConfigFile = None,
) -> None:
    """Give a meter to another reader, from now on. What the former one has measured before is still stored."""
    from iskra_server.fleet.central.claims import move_meter  # noqa: PLC0415

    with open_existing(load_config(config)) as store:
        name = stored_meter(store, meter).meter_id
        with _refusals():
            former = move_meter(store, name, to, int(time.time()))
    print(f"{name} has the reader {to} already." if former == to else f"{name} is moved from {former} to {to}.")


@app.command()
def conflicts(
    *,
    meter: Annotated[str | None, typer.Option("--meter", metavar="METER", help="Of this meter only.")] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="PERIOD", help="today, 2026-11, ...", show_default="all")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="PERIOD", help="Last period.", show_default="the end of --from")
    ] = None,
    take: Annotated[
        str | None, typer.Option("--take", metavar="READER", help="Let the values of this reader count instead.")
    ] = None,
    tz: Zone = "",
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """List values that differ from those that are kept, with both. Exit status 1 if there are any.

    With --take, --meter and --from the values of another reader count in that period. Those that counted before are
    listed from then on. A counter never goes back: where it would, nothing is changed.
    """
    settings = load_config(config)
    zone = time_zone(tz, settings)
    with usage_errors():
        span = parse_span(begin or "1970", end or (None if begin else "2999"), datetime.now(UTC), zone)
    first, last = (quarter_of(moment.timestamp()) for moment in span)
    if take is not None:
        if meter is None or begin is None:
            raise UsageError("--take needs --meter and --from.")
        return _take(settings, meter, take, (first, last))
    count = 0
    with open_existing(settings) as store:
        meters = None if meter is None else [stored_meter(store, meter).meter_id]
        for conflict in _all_conflicts(store, meters, first, last):
            count += 1
            if json:
                print(msgspec.json.encode(_conflict_object(conflict)).decode())
            else:
                print(_sentence(conflict, zone))
    if not count and not json:
        print("No values differ.")
    raise typer.Exit(1 if count else 0)


def _take(settings: "Config", meter: str, name: str, period: tuple[int, int]) -> None:
    from iskra_server.fleet.central.conflict_choice import take_values  # noqa: PLC0415

    with open_existing(settings) as store:
        meter_id = stored_meter(store, meter).meter_id
        with _refusals():
            count = take_values(store, meter_id, name, period, int(time.time()))
    print(f"{count} values of {name} count for {meter_id} now.")


@contextmanager
def _refusals() -> Iterator[None]:
    """What cannot be done, with exit status 1."""
    try:
        yield
    except StoreError as error:
        raise UsageError(str(error), 1) from None


def _all_readers(store: "Store") -> "Iterator[ReaderRow]":
    from iskra_server.fleet.central.reader_state import list_readers  # noqa: PLC0415

    after: str | None = ""
    while after is not None:
        page, after = list_readers(store, limit=_PAGE, after=after)
        yield from page


def _all_conflicts(store: "Store", meters: list[str] | None, first: int, end: int) -> "Iterator[Conflict]":
    from iskra_server.fleet.central.conflicts import list_conflicts  # noqa: PLC0415

    page, after = list_conflicts(store, limit=_PAGE, meters=meters, first=first, end=end)
    yield from page
    while after is not None:
        page, after = list_conflicts(store, limit=_PAGE, after=after, meters=meters, first=first, end=end)
        yield from page


def _print(table: Table) -> None:
    console = text_console()
    if console.is_terminal:
        console.print(table)
    else:
        # a table as wide as it needs to be: nobody looks for the end of a sentence in a column of ten characters
        text_console(width=1000).print(table)


def _readers_table(rows: "list[tuple[ReaderRow, str]]") -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("reader", style="cyan", no_wrap=True)
    for name in ("version", "last heard", "clock", "meters", "waiting"):
        table.add_column(name, no_wrap=True)
    table.add_column("")
    for row, sentence in rows:
        clock = "" if row.skew_s is None else f"{row.skew_s:+} s"
        text = Text(sentence or row.sentence, style="yellow" if sentence else "")
        waiting = "" if row.waiting is None else f"{row.waiting:,}"
        table.add_row(Text(row.name), Text(row.version or ""), utc(row.at_s), clock, str(row.meters), waiting, text)
    return table


def _reader_object(row: "ReaderRow", sentence: str) -> dict[str, object]:
    return {
        "name": row.name,
        "version": row.version,
        "last_heard": utc(row.at_s),
        "clock_ahead_s": row.skew_s,
        "meters": row.meters,
        "waiting": row.waiting,
        "refused": row.refused,
        "ok": not sentence,
        "sentence": sentence or row.sentence,
    }


def _sentence(conflict: "Conflict", tz: ZoneInfo) -> str:
    kept = f"{conflict.kept_reader}: {conflict.kept:f} Wh is kept" if conflict.kept is not None else "nothing is kept"
    return (
        f"{conflict.meter_id}  {conflict.obis}  {_local(conflict.quarter * QUARTER_S, tz)}  {kept}; "
        f"{conflict.reader}: {conflict.value:f} Wh, received {_local(conflict.at_s, tz)}"
    )


def _conflict_object(conflict: "Conflict") -> dict[str, object]:
    return {
        "meter": conflict.meter_id,
        "register": str(conflict.obis),
        "time": utc(conflict.quarter * QUARTER_S),
        "reader": conflict.reader,
        "value_wh": msgspec.Raw(f"{conflict.value:f}".encode()),
        "kept_reader": conflict.kept_reader,
        "kept_wh": None if conflict.kept is None else msgspec.Raw(f"{conflict.kept:f}".encode()),
        "received": utc(conflict.at_s),
    }


def _local(at_s: int, tz: ZoneInfo) -> str:
    """With its offset: an hour of October comes twice."""
    return f"{datetime.fromtimestamp(at_s, tz):%Y-%m-%d %H:%M %z}"


app.command(epilog=fleet_statement.EXAMPLES)(fleet_statement.statement)
app.command(epilog=fleet_allocate.EXAMPLES)(fleet_allocate.allocate)
app.command()(verify)
