"""`history check`, `repair`, `restore` and `clear`: what a clock that was wrong has left in history."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from iskra_server.base.clock import FIRST_MOMENT_S
from iskra_server.cli.ui.history import configured, existing
from iskra_server.cli.ui.options import HELP, ConfigFile, examples
from iskra_server.cli.ui.refusal import Refused
from iskra_server.history.model.records import EARLIEST_S
from iskra_server.history.store.checkup import (
    ImpossibleRows,
    clock_steps,
    find_impossible,
    list_restorable,
    list_set_aside,
    put_back,
    repair,
)
from iskra_server.history.store.checkup import delete_set_aside as delete_aside

# what the rows of a table are called
_KINDS = {"boundary": "quarters", "power": "power", "points": "telegrams", "epoch": "epochs"}

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings=HELP,
    help="Find history entries with impossible times, and set them aside.",
    epilog=examples(
        {
            "iskra-server history check": "entries with an impossible time?",
            "iskra-server history repair --dry-run": "what would be set aside",
            "iskra-server history repair": "sets them aside, in one transaction",
            "iskra-server history restore": "puts back what was set aside by mistake",
            "iskra-server history clear": "deletes what was set aside",
        }
    ),
)
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing, only list the entries.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


@app.command()
def check(config: ConfigFile = None) -> None:
    """List entries in the future or before 2000, and those set aside. Exit status 1 if there are any."""
    with existing(configured(config)) as store:
        found, kept, stepped = find_impossible(store, time.time()), list_set_aside(store), clock_steps(store)
    for step in stepped:
        print(f"The clock was set from {_moment(step.from_s)} to {_moment(step.to_s)} ({step.reason}).")
    _tell(found)
    for each in kept:
        print(f"Set aside: {_line(each)}")
    if found:
        now = _moment(int(time.time()))
        print(f"By the clock of this computer it is {now}. If that is right: iskra-server history repair")
    elif kept:
        print(
            "Everything else is in its place. What was set aside: iskra-server history restore puts back, clear deletes"
        )
    else:
        print("Everything in history is in its place.")
    raise typer.Exit(1 if found or kept else 0)


@app.command(name="repair")
def set_aside(config: ConfigFile = None, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Set aside entries in the future or before 2000; the server may run."""
    now_s = time.time()
    # a repair by a clock that is behind would set aside what is right
    if now_s < FIRST_MOMENT_S:
        raise Refused(f"The clock of this computer is wrong: it says {_moment(int(now_s))}. Set it first.")
    with existing(configured(config)) as store:
        found = find_impossible(store, now_s)
        _tell(found)
        if not found:
            print("Everything in history is in its place.")
        elif not dry_run:
            _agree(yes, f"Is {_moment(int(now_s))} the right time? Then set these entries aside?")
            print(f"{repair(store, now_s)} rows are set aside; iskra-server history clear deletes them for good.")
    raise typer.Exit(1 if found and dry_run else 0)


@app.command()
def restore(config: ConfigFile = None, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Put back entries that were set aside by mistake and are not in the future; the server may run."""
    now_s = time.time()
    with existing(configured(config)) as store:
        kept = list_restorable(store, now_s)
        for each in kept:
            print(_line(each))
        if not kept:
            print("Nothing that was set aside has a possible time.")
        elif not dry_run:
            _agree(yes, f"Is {_moment(int(now_s))} the right time? Then put these entries back?")
            print(f"{put_back(store, now_s)} rows are back; entries recorded in their place since then stay.")
    raise typer.Exit(1 if kept and dry_run else 0)


@app.command()
def clear(config: ConfigFile = None, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Delete the entries that were set aside."""
    with existing(configured(config)) as store:
        kept = list_set_aside(store)
        for each in kept:
            print(_line(each))
        if not kept:
            print("Nothing is set aside.")
        elif not dry_run:
            _agree(yes, "Delete these entries for good?")
            print(f"{delete_aside(store)} rows are deleted.")
    raise typer.Exit(1 if kept and dry_run else 0)


def _agree(yes: bool, question: str) -> None:
    if not yes and not typer.confirm(question):
        raise Refused("Nothing was changed.", 1)


def _tell(found: Sequence[ImpossibleRows]) -> None:
    for each in found:
        what = "before 2000" if each.first_s < EARLIEST_S else "in the future"
        print(f"Out of place, {what}: {_line(each)}")


def _line(each: ImpossibleRows) -> str:
    return (
        f"{each.meter_id}, {each.count} rows of {_KINDS[each.kind]}, {_moment(each.first_s)} to {_moment(each.last_s)}"
    )


def _moment(at_s: int) -> str:
    """As RFC 3339 has it; a clock may have shown anything."""
    try:
        return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return f"{at_s} s after 1970"
