"""`fleet verify`: compare the roll-ups of a central server with its quarters."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.progress import Progress

from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.open_history import database_errors, load_config, open_existing, stored_meter
from iskra_server.cli.ui.options import ConfigFile
from iskra_server.cli.ui.usage_error import UsageError, usage_errors
from iskra_server.history.model.periods import parse_period, quarter_time
from iskra_server.history.model.records import quarter_of

if TYPE_CHECKING:
    # for their types alone: they bring the database library along
    from iskra_server.fleet.central.counter_energies import RegisterEnergy
    from iskra_server.fleet.central.rollup_check import RollupDifference


def verify(
    *,
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="PERIOD", help="Since then: 2026-11, 2026-11-22, ...", show_default="the first"),
    ] = None,
    meter: Annotated[str | None, typer.Option("--meter", metavar="METER", help="Of this meter only.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Let a collector compute what differs again.")] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Delete these energies; a collector computes all again.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Compare the energy of days and months with the quarter-hours. Exit status 1 if it differs."""
    from iskra_server.fleet.central import rollup_check  # noqa: PLC0415
    from iskra_server.fleet.central.rollups import read_roll  # noqa: PLC0415

    with open_existing(load_config(config)) as store, database_errors():
        if rebuild:
            rollup_check.delete_roll_ups(store)
            print("All roll-ups are deleted. The collectors compute them again, from today back.")
            return
        roll = read_roll(store)
        if roll is None:
            raise UsageError("There are no roll-ups yet. A collector computes them.", 1)
        with usage_errors():
            since = 0 if begin is None else quarter_of(parse_period(begin, datetime.now(UTC), roll.zone)[0].timestamp())
        only = None if meter is None else stored_meter(store, meter).meter_id
        found: list[RollupDifference] = []
        console = text_console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            spans = rollup_check.rolled_up_spans(roll, since)
            for span in progress.track(spans, description="comparing"):
                for difference in rollup_check.differences(store, roll, span, only):
                    found.append(difference)
                    print(_sentence(difference, roll.zone))
        if found and repair:
            rollup_check.mark_differences(store, found)
            print(
                f"{len(found)} roll-ups are marked: sums take their quarters until a collector has computed them again."
            )
        elif not spans:
            print("No day is over for which a collector has computed its energy.")
        elif not found:
            print(f"{len(spans)} days and months say what their quarter-hours say.")
    raise typer.Exit(1 if found else 0)


def _sentence(difference: "RollupDifference", zone: ZoneInfo) -> str:
    first, end = (quarter_time(quarter, zone) for quarter in difference.span)
    period = f"{first:%Y-%m-%d}" if (end - first).days < 2 else f"{first:%Y-%m}"
    stored, computed = _energy(difference.stored), _energy(difference.computed)
    return f"{difference.meter_id} {difference.obis} {period}: {stored} in the roll-up, {computed} by the quarter-hours"


def _energy(energy: "RegisterEnergy | None") -> str:
    if energy is None:
        return "nothing"
    return f"{energy.value.decimal:f} Wh of {energy.quarters} quarter-hours"
