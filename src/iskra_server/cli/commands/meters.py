"""`meters`, `meters replace` and `meters remove`."""

import asyncio
from datetime import UTC, datetime

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from iskra_server.cli.ui.history import configured, existing
from iskra_server.cli.ui.options import HELP, ConfigFile, Json, examples
from iskra_server.cli.ui.refusal import Refused
from iskra_server.history.model.records import MeterInfo

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings=HELP,
    help="List the meters that history knows; say that one replaced another, or is gone.",
    epilog=examples(
        {
            "iskra-server meters": "which meters, and since when",
            "iskra-server meters replace OLD NEW": "NEW carries on the history of OLD",
            "iskra-server meters remove METER": "its entities in Home Assistant go",
        }
    ),
)


@app.callback(invoke_without_command=True)
def meters(context: typer.Context, config: ConfigFile = None, json: Json = False) -> None:
    """List the meters that history knows; say that one replaced another, or is gone."""
    if context.invoked_subcommand:
        return
    with existing(configured(config)) as store:
        known = store.meters()
    console = Console(highlight=False)
    if json:
        for meter in known:
            print(msgspec.json.encode(as_object(meter)).decode())
    elif not known:
        print("History holds no meter yet.")
    elif console.is_terminal:
        console.print(as_table(known))
    else:
        for meter in known:
            print("  ".join(filter(None, (meter.meter_id, *seen(meter), remark(meter)))))
    raise typer.Exit(0 if known else 1)


@app.command()
def replace(
    old: str = typer.Argument(metavar="OLD", help="The meter that was taken away."),
    new: str = typer.Argument(metavar="NEW", help="The meter that hangs there now."),
    config: ConfigFile = None,
) -> None:
    """Say that a new meter carries on the history of an old one."""
    with existing(configured(config)) as store:
        store.replace_meter(old, new)
    print(f"{new} carries on the history of {old}.")


@app.command()
def remove(
    meter: str = typer.Argument(metavar="METER", help="The meter that is no longer read."),
    config: ConfigFile = None,
) -> None:
    """Take a meter's entities away from Home Assistant, and all else that the MQTT broker keeps of it."""
    # no other subcommand needs these
    from iskra_server.outputs.mqtt.removal import RemovalError, remove  # noqa: PLC0415
    from iskra_server.outputs.mqtt.settings import mqtt_settings  # noqa: PLC0415

    mqtt = configured(config).outputs.mqtt
    if not mqtt.url:
        raise Refused("No MQTT broker is configured (outputs.mqtt.url); history keeps what it has: nothing to remove.")
    settings = mqtt_settings(mqtt)
    try:
        label = asyncio.run(remove(settings, meter))
    except RemovalError as error:
        raise Refused(str(error), 1) from None
    print(f"{label} is removed from {settings.broker}; its history is kept.")


def as_object(meter: MeterInfo) -> dict[str, object]:
    """For `--json`: moments in UTC."""
    first, last = seen(meter)
    rest = {"simulated": meter.simulated, "first_seen": first, "last_seen": last, "replaced_by": meter.replaced_by}
    return {"meter_id": meter.meter_id, "server_id": meter.server_id, **rest}


def as_table(meters: list[MeterInfo]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("meter", style="cyan", no_wrap=True)
    table.add_column("first seen")
    table.add_column("last seen")
    table.add_column("")
    for meter in meters:
        table.add_row(meter.meter_id, *seen(meter), Text(remark(meter), style="yellow"))
    return table


def seen(meter: MeterInfo) -> tuple[str, str]:
    """First and last, as RFC 3339 has it."""
    first, last = (f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%SZ}" for at_s in (meter.first_s, meter.last_s))
    return first, last


def remark(meter: MeterInfo) -> str:
    """What is special about a meter, empty if nothing is."""
    replaced = f"replaced by {meter.replaced_by}" if meter.replaced_by else ""
    return ", ".join(filter(None, ("SIMULATED" if meter.simulated else "", replaced)))
