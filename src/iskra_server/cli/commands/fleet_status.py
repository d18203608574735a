"""`fleet status`: how a central server stands, on one screen."""

from collections.abc import Iterator
from datetime import datetime

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.open_history import load_config, open_existing
from iskra_server.cli.ui.options import ConfigFile, Json
from iskra_server.diagnosis.central_state import CentralFacts, central_state


def status(config: ConfigFile = None, json: Json = False) -> None:
    """Show how the central server stands: readers, meters, what waits or was refused. Exit status 1 if not well."""
    from iskra_server.fleet.central.central_facts import central_facts  # noqa: PLC0415

    with open_existing(load_config(config)) as store:
        state = central_state(facts := central_facts(store))
    if json:
        print(msgspec.json.encode(state).decode())
    else:
        table = Table(box=None, show_header=False, pad_edge=False)
        for name, count, more in _rows(facts):
            table.add_row(name, Text(count, justify="right"), more)
        console = text_console(soft_wrap=True)
        console.print(table)
        for problem in state.problems:
            console.print(Text(f"! {problem.en}"))
        if state.ok:
            console.print("All is well.")
    raise typer.Exit(0 if state.ok else 1)


def _rows(facts: CentralFacts) -> Iterator[tuple[str, str, str]]:
    """What is counted, the count, and more about it."""
    yield "Readers", f"{facts.readers:,}", f"{facts.silent_readers:,} silent, {facts.failing_readers:,} with a fault"
    yield "Meters", f"{facts.meters:,}", f"{facts.silent_meters:,} silent, {facts.gone_meters:,} gone"
    yield "Last message", _age(facts.at, facts.last_message), "since a reader last sent something"
    if facts.waiting_quarters is not None:
        refused = f"quarter-hours wait at readers, {facts.refused_quarters or 0:,} were refused"
        yield "Waiting", f"{facts.waiting_quarters:,}", refused
    yield "Refused", f"{facts.refused_messages:,}", f"messages, {facts.refused_last_day:,} within a day"
    yield "Conflicts", f"{facts.conflicts:,}", f"values, {facts.conflicts_last_day:,} within a day"
    if facts.skew_s is not None:
        yield "Clocks", f"{facts.skew_s:+} s", f"at most, that of {facts.skewed_reader}"
    if facts.months_left is not None:
        yield "Partitions", f"{facts.months_left}", "more months"


def _age(now: datetime, moment: datetime | None) -> str:
    return "-" if moment is None else f"{max((now - moment).total_seconds(), 0):,.0f} s"
