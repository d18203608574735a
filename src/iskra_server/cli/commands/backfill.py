"""`homeassistant backfill`: write the hours that Home Assistant missed, from what the meter's counter showed."""

import os
import shlex
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.hours_table import hours_table
from iskra_server.cli.ui.open_history import Zone, time_zone
from iskra_server.cli.ui.options import ConfigFile, Quiet, examples
from iskra_server.cli.ui.recorded_counters import RecordedCounters
from iskra_server.cli.ui.usage_error import UsageError, usage_errors
from iskra_server.config import Config, load
from iskra_server.history.model.periods import parse_span
from iskra_server.homeassistant import backfill as filling
from iskra_server.homeassistant import hourly_statistics
from iskra_server.homeassistant.backfill import BackfillPlan, Period
from iskra_server.homeassistant.core_api import CoreApi, CoreError, connected, websocket_url
from iskra_server.homeassistant.gaps import HOUR_S, otherwise
from iskra_server.homeassistant.our_sensors import TOTAL_KEY, OurSensor, find, sensor_of

EXAMPLES = examples({"iskra-server homeassistant backfill --url URL --token-file FILE": "write them"})
# set in an app of Home Assistant
_IN_APP = "SUPERVISOR_TOKEN"


def backfill(
    *,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Address of Home Assistant, such as http://homeassistant.local:8123."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="File with a long-lived access token of an administrator."),
    ] = None,
    entity: Annotated[
        str | None, typer.Option(metavar="SENSOR", help="One sensor only.", show_default="all that are recognised")
    ] = None,
    meter: Annotated[
        str | None, typer.Option(metavar="METER", help="Meter of --entity.", show_default="recognised, else the first")
    ] = None,
    register: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Register of --entity, such as energy_export.", show_default="recognised"),
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="PERIOD", help="Gaps from here on only.", show_default="all")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="PERIOD", help="Gaps until here only.", show_default="all")
    ] = None,
    external: Annotated[
        bool,
        typer.Option("--external", help="Also write the time before each counter's first hour, as iskra_server:..."),
    ] = False,
    correct_sum: Annotated[
        bool,
        typer.Option("--correct-sum", help="Where a meter was replaced in a gap: correct the sums behind it, too."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be written.")] = False,
    undo: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Bring back the hours of an undo file, nothing else.")
    ] = None,
    ca_file: Annotated[
        str, typer.Option("--ca-file", metavar="FILE", help="Authority that signed Home Assistant's certificate.")
    ] = "",
    tz: Zone = "",
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> None:
    """Write the hours that Home Assistant missed, from what the meter showed.

    After an outage Home Assistant shows one tall bar. This gives each hour its own energy; the sum at the end stays.
    Add --dry-run to see what would be written.
    """
    settings = load(os.environ, config)
    if ca_file:
        Path(ca_file).open("rb").close()
    console, errors = text_console(quiet=quiet), text_console(stderr=True)
    bar = Progress(console=errors, transient=True, disable=quiet or not errors.is_terminal)
    where, token = _address(url), _token(token_file)
    period = _period(begin, end, settings, tz)
    try:
        with connected(where, token, ca_file) as core, bar:
            if undo:
                _undo(core, undo, bar)
                console.print(f"The hours of {undo} are as they were.", soft_wrap=True)
                return
            sensors = _sensors(core, entity, meter, register)
            wanted = _Wanted(period, is_external=external, may_correct=correct_sum)
            plans, refused = _plans(core, sensors, RecordedCounters(settings.server), wanted, bar)
            for plan in plans:
                console.print("\n", Text(plan.series.id, style="bold"), f": {_count(plan)}", sep="")
                console.print(hours_table(plan, time_zone(tz, settings)))
            if plans and not dry_run:
                undo_path = _undo_path(settings)
                _write(core, plans, undo_path, bar, console)
                again = shlex.join(["--url", str(url), "--token-file", str(token_file), "--undo", str(undo_path)])
                console.print(
                    f"To bring the old ones back: iskra-server homeassistant backfill {again}", soft_wrap=True
                )
    except CoreError as error:
        raise UsageError(str(error)) from None
    for sentence in refused:
        errors.print(f"Left as it is: {sentence}", soft_wrap=True)
    if not plans:
        console.print("There is nothing to fill.")
    raise typer.Exit(1 if refused else 0)


def _address(url: str | None) -> str:
    if not url:
        raise UsageError("Give the address of Home Assistant, such as --url http://homeassistant.local:8123.")
    with usage_errors():
        return websocket_url(url)


def _token(file: Path | None) -> str:
    if not file:
        raise UsageError("Give a file with a long-lived access token of Home Assistant: --token-file FILE.")
    token = file.read_text(errors="replace").strip()
    if not token or not token.isascii() or not token.isprintable():
        raise UsageError(f"{file} does not hold a token; save the long-lived access token in it as it is.")
    return token


def _period(begin: str | None, end: str | None, settings: Config, tz: str) -> Period:
    now = datetime.now(UTC)
    with usage_errors():
        first, last = parse_span(begin or "1970", end or "2999", now, time_zone(tz, settings))
    return Period(int(first.timestamp()), int(last.timestamp()))


def _sensors(core: CoreApi, entity: str | None, meter: str | None, register: str | None) -> list[OurSensor]:
    listed = core.ask("recorder/list_statistic_ids")
    found = list(find(core.ask("config/entity_registry/list"), listed))
    if entity is None:
        if not found:
            raise UsageError(
                "Home Assistant has no statistics of a sensor of this server; name one with --entity and --register.", 1
            )
        return found
    statistic = next((each for each in listed if each["statistic_id"] == entity), None)
    if statistic is None:
        known = ", ".join(sensor.id for sensor in found)
        raise UsageError(f"Home Assistant has no statistics of {entity}{f'; it has {known}' if known else ''}.")
    known_as = next((sensor for sensor in found if sensor.id == entity), None)
    key = register or (known_as.key if known_as else TOTAL_KEY)
    sensor = sensor_of(statistic, meter or (known_as.meter if known_as else None), key)
    if sensor is None:
        unit = statistic["statistics_unit_of_measurement"] or "no unit"
        raise UsageError(f"The statistics of {entity} are in {unit}; only energy with a sum, and power, can be filled.")
    return [sensor]


class _Wanted(Struct, frozen=True):
    """`is_external`: the time before each sensor, too; `may_correct`: gaps in which a meter was replaced, too."""

    period: Period
    is_external: bool
    may_correct: bool


def _plans(
    core: CoreApi, sensors: Sequence[OurSensor], counters: RecordedCounters, wanted: _Wanted, bar: Progress
) -> tuple[list[BackfillPlan], list[str]]:
    """The plans that change something, and the sentences of what cannot be filled."""
    plans, refused, period = list[BackfillPlan](), list[str](), wanted.period
    task = bar.add_task("reading", total=None)
    for sensor in sensors:
        meter = sensor.meter or counters.first_meter()
        held = hourly_statistics.read(core, filling.series_of(sensor))
        inside = [start_s for start_s in held if period.begin_s - HOUR_S <= start_s <= period.end_s]
        if not inside:
            continue
        answers = counters.between(
            meter, inside[0] - HOUR_S, min(inside[-1] + 2 * HOUR_S, int(time.time())), partial(bar.advance, task)
        )
        if sensor.kind == "energy":
            plan = filling.plan_energy(sensor, held, answers, period, may_correct=wanted.may_correct)
        else:
            plan = filling.plan_power(sensor, held, answers, period)
        plans.append(plan)
        refused += [f"{sensor.id}: {refusal.sentence(sensor.unit)}" for refusal in plan.refusals]
        refused += [f"{sensor.id}: {_replaced(at_s, by, sensor.unit)}" for at_s, by in plan.replaced.items()]
        if wanted.is_external and sensor.kind == "energy":
            plans += _earlier(core, sensor, meter, held, counters)
    return [plan for plan in plans if plan.new], refused


def _earlier(
    core: CoreApi, sensor: OurSensor, meter: str, held: dict[int, hourly_statistics.Values], counters: RecordedCounters
) -> Iterator[BackfillPlan]:
    first_s, end_s = counters.first_s(meter), next(iter(held)) + HOUR_S
    if first_s is not None and first_s < end_s:
        known = hourly_statistics.read(core, filling.external_series(sensor, meter))
        yield filling.plan_earlier(sensor, meter, held, known, counters.between(meter, first_s, end_s))


def _replaced(start_s: int, amount: Decimal, unit: str) -> str:
    at = datetime.fromtimestamp(start_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"the meter was replaced, or its counter restarted, in the gap before {at}, and Home Assistant has counted "
        f"{otherwise(amount, unit)}; --correct-sum fills it and corrects every sum behind it by that."
    )


def _count(plan: BackfillPlan) -> str:
    hours = "1 hour" if len(plan.new) == 1 else f"{len(plan.new):,} hours"
    return f"{hours}{f'; {plan.unread} more were not read by the server' if plan.unread else ''}"


def _write(core: CoreApi, plans: Sequence[BackfillPlan], path: Path, bar: Progress, console: Console) -> None:
    filling.write_undo(path, core, plans)
    task = bar.add_task("writing", total=sum(len(plan.new) for plan in plans))
    for plan in plans:
        filling.carry_out(core, plan, partial(bar.advance, task))
    console.print("\nHome Assistant has these hours now; every other hour, and the sums at the end, are as before.")


def _undo_path(settings: Config) -> Path:
    """In the app where it survives an update, else in the current folder."""
    folder = Path(settings.history.data_dir) if os.environ.get(_IN_APP) else Path()
    return folder / f"homeassistant-undo-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"


def _undo(core: CoreApi, file: Path, bar: Progress) -> None:
    try:
        content = filling.read_undo(file)
    except ValueError as error:
        raise UsageError(f"{error}.") from None
    task = bar.add_task("writing", total=sum(len(each.rows) for each in content.undo))
    filling.undo(core, content, partial(bar.advance, task))
