"""`meters`: list the meters in history. `meters replace`, `meters remove`."""

import asyncio
from shlex import quote
from typing import Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from iskra_server.base.json_values import utc
from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.open_history import load_config, open_existing, stored_meter
from iskra_server.cli.ui.options import ConfigFile, Json, group_app
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.recorded_meter import virtual_infos
from iskra_server.meter.virtual_meter import VIRTUAL

app = group_app(
    "List the meters in history; record that a meter was replaced or removed.",
    {
        "iskra-server meters": "all, with first and last reading",
        "iskra-server meters replace OLD NEW": "NEW continues the history of OLD",
        "iskra-server meters replace OLD NEW --undo": "it was the wrong pair",
        "iskra-server meters remove METER": "remove its Home Assistant entities",
    },
    needs_subcommand=False,
)
# two meters of one place are read at once for no longer than a day
_TOGETHER_S = 86_400


@app.callback(invoke_without_command=True)
def meters(context: typer.Context, config: ConfigFile = None, json: Json = False) -> None:
    """List the meters in history; record that a meter was replaced or removed."""
    if context.invoked_subcommand:
        return
    with open_existing(load_config(config)) as store:
        recorded = [*store.meters(), *virtual_infos(store)]
    console = text_console()
    if json:
        for meter in recorded:
            print(msgspec.json.encode(as_object(meter)).decode())
    elif not recorded:
        print("History holds no meter yet.")
    elif console.is_terminal:
        console.print(as_table(recorded))
    else:
        for meter in recorded:
            print("  ".join(filter(None, (meter.meter_id, *first_and_last(meter), remark(meter)))))
    raise typer.Exit(0 if recorded else 1)


@app.command()
def replace(
    old: str = typer.Argument(metavar="OLD", help="Meter that was removed."),
    new: str = typer.Argument(metavar="NEW", help="Meter that is installed now."),
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back: they are two meters again.")] = False,
    config: ConfigFile = None,
) -> None:
    """Record that a new meter continues the history of an old one."""
    with open_existing(load_config(config)) as store:
        before, after = stored_meter(store, old), stored_meter(store, new)
        if undo and before.replaced_by != after.meter_id:
            raise UsageError(f"{after.meter_id} does not continue the history of {before.meter_id}.", 1)
        store.replace_meter(before.meter_id, None if undo else after.meter_id)
    if undo:
        print(f"{after.meter_id} does not continue the history of {before.meter_id} any more.")
        return
    print(f"{after.meter_id} continues the history of {before.meter_id}.")
    if before.last_s - after.first_s > _TOGETHER_S:
        print(
            f"But {before.meter_id} was read until {utc(before.last_s)}, and {after.meter_id} from "
            f"{utc(after.first_s)} on: of the one that was read first nothing counts after that. If this is the wrong "
            f"pair or order: iskra-server meters replace {quote(before.meter_id)} {quote(after.meter_id)} --undo"
        )


@app.command()
def remove(
    meter: str = typer.Argument(metavar="METER", help="Meter that is no longer read."),
    config: ConfigFile = None,
) -> None:
    """Remove a meter's entities from Home Assistant and its topics from the MQTT broker. History is kept."""
    # imported here: no other subcommand needs MQTT
    from iskra_server.outputs.mqtt.broker_settings import mqtt_settings  # noqa: PLC0415
    from iskra_server.outputs.mqtt.removal import RemovalError, remove  # noqa: PLC0415

    mqtt = load_config(config).outputs.mqtt
    if not mqtt.url:
        raise UsageError("No MQTT broker is configured (outputs.mqtt.url); there is nothing to remove.")
    settings = mqtt_settings(mqtt)
    try:
        label = asyncio.run(remove(settings, meter))
    except RemovalError as error:
        raise UsageError(str(error), 1) from None
    print(f"{label} is removed from {settings.broker}; its history is kept.")


def as_object(meter: MeterInfo) -> dict[str, object]:
    """For `--json`; times in UTC."""
    first, last = first_and_last(meter)
    rest = {"simulated": meter.simulated, "first_seen": first, "last_seen": last, "replaced_by": meter.replaced_by}
    return {"meter_id": meter.meter_id, "server_id": meter.server_id, **rest}


def as_table(meters: list[MeterInfo]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("meter", style="cyan", no_wrap=True)
    table.add_column("first seen")
    table.add_column("last seen")
    table.add_column("")
    for meter in meters:
        table.add_row(meter.meter_id, *first_and_last(meter), Text(remark(meter), style="yellow"))
    return table


def first_and_last(meter: MeterInfo) -> tuple[str, str]:
    """First and last reading, in RFC 3339."""
    return utc(meter.first_s), utc(meter.last_s)


def remark(meter: MeterInfo) -> str:
    """Virtual, simulated or replaced; empty for any other meter."""
    replaced = f"replaced by {meter.replaced_by}" if meter.replaced_by else ""
    kind = VIRTUAL if meter.port == VIRTUAL else ""
    return ", ".join(filter(None, (kind, "SIMULATED" if meter.simulated else "", replaced)))
