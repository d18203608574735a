"""`history check|repair|restore|clear`: rows with impossible times that a wrong clock left in history."""

import time
from collections.abc import Sequence
from typing import Annotated

import typer

from iskra_server.base.json_values import utc
from iskra_server.base.system_clock import FIRST_MOMENT_S
from iskra_server.cli.ui.open_history import load_config, open_existing
from iskra_server.cli.ui.options import ConfigFile, group_app
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.history.model.records import EARLIEST_S
from iskra_server.history.store.checkup import (
    ImpossibleRows,
    clock_steps,
    delete_set_aside,
    find_impossible,
    list_restorable,
    list_set_aside,
    put_back,
    repair,
)

# table -> what its rows are
_KINDS = {"boundary": "quarters", "power": "power", "points": "telegrams", "epoch": "epochs"}

app = group_app(
    "Find history rows with impossible times, and set them aside.",
    {
        "iskra-server history check": "list rows with impossible times",
        "iskra-server history repair --dry-run": "show what repair would set aside",
        "iskra-server history repair": "set them aside, in one transaction",
        "iskra-server history restore": "put back what was set aside by mistake",
        "iskra-server history clear": "delete what was set aside",
    },
)
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing, only list the rows.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


@app.command()
def check(config: ConfigFile = None) -> None:
    """List rows in the future or before 2000, and rows set aside. Exit status 1 if there are any."""
    with open_existing(load_config(config)) as store:
        impossible, kept, steps = find_impossible(store, time.time()), list_set_aside(store), clock_steps(store)
    for step in steps:
        print(f"The clock was set from {_moment(step.from_s)} to {_moment(step.to_s)} ({step.reason}).")
    _print_impossible(impossible)
    for rows in kept:
        print(f"Set aside: {_describe(rows)}")
    if impossible:
        now = _moment(int(time.time()))
        print(f"The clock of this computer says {now}. If that is right, run: iskra-server history repair")
    elif kept:
        print("All other rows are fine. To put rows back: iskra-server history restore; to delete them: clear")
    else:
        print("All rows of history have possible times.")
    raise typer.Exit(1 if impossible or kept else 0)


@app.command(name="repair")
def set_aside(config: ConfigFile = None, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Set aside rows in the future or before 2000. The server may keep running."""
    now_s = time.time()
    # with a clock that is behind, correct rows would seem to be in the future
    if now_s < FIRST_MOMENT_S:
        raise UsageError(f"The clock of this computer is wrong: it says {_moment(int(now_s))}. Set it first.")
    with open_existing(load_config(config)) as store:
        impossible = find_impossible(store, now_s)
        _print_impossible(impossible)
        if not impossible:
            print("All rows of history have possible times.")
        elif not dry_run:
            _confirm(yes, f"Is {_moment(int(now_s))} the right time, and should these rows be set aside?")
            print(f"{repair(store, now_s)} rows are set aside; iskra-server history clear deletes them for good.")
    raise typer.Exit(1 if impossible and dry_run else 0)


@app.command()
def restore(config: ConfigFile = None, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Put back rows that were set aside by mistake. The server may keep running."""
    now_s = time.time()
    with open_existing(load_config(config)) as store:
        kept = list_restorable(store, now_s)
        for rows in kept:
            print(_describe(rows))
        if not kept:
            print("No row that was set aside has a possible time.")
        elif not dry_run:
            _confirm(yes, f"Is {_moment(int(now_s))} the right time, and should these rows be put back?")
            print(f"{put_back(store, now_s)} rows are put back; rows recorded in their place since then are kept.")
    raise typer.Exit(1 if kept and dry_run else 0)


@app.command()
def clear(config: ConfigFile = None, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Delete the rows that were set aside."""
    with open_existing(load_config(config)) as store:
        kept = list_set_aside(store)
        for rows in kept:
            print(_describe(rows))
        if not kept:
            print("Nothing is set aside.")
        elif not dry_run:
            _confirm(yes, "Delete these rows for good?")
            print(f"{delete_set_aside(store)} rows are deleted.")
    raise typer.Exit(1 if kept and dry_run else 0)


def _confirm(yes: bool, question: str) -> None:
    if not yes and not typer.confirm(question):
        raise UsageError("Nothing was changed.", 1)


def _print_impossible(impossible: Sequence[ImpossibleRows]) -> None:
    for rows in impossible:
        what = "before 2000" if rows.first_s < EARLIEST_S else "in the future"
        print(f"Impossible time, {what}: {_describe(rows)}")


def _describe(rows: ImpossibleRows) -> str:
    return (
        f"{rows.meter_id}, {rows.count} rows of {_KINDS[rows.kind]}, {_moment(rows.first_s)} to {_moment(rows.last_s)}"
    )


def _moment(at_s: int) -> str:
    """In RFC 3339, or in seconds if the wrong clock was beyond any date."""
    try:
        return utc(at_s)
    except (ValueError, OverflowError, OSError):
        return f"{at_s} s after 1970"
