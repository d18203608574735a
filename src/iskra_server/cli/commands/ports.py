"""`ports`: list serial ports, by names that stay the same when a head is plugged in elsewhere."""

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.options import Json, command_app, examples
from iskra_server.diagnosis.advice import format_problem
from iskra_server.sources.errors import no_port
from iskra_server.sources.ports import Port, list_ports

app = command_app()
_EXAMPLES = examples({"iskra-server ports": "all serial ports", "iskra-server ports --json": "for programs"})


@app.command(epilog=_EXAMPLES)
def ports(json: Json = False) -> None:
    """List serial ports and the devices behind them. Exit status 1 if there are none."""
    found = list_ports()
    console = text_console()
    if json:
        for port in found:
            print(msgspec.json.encode(as_object(port)).decode())
    elif not found:
        print(format_problem(no_port(), {}))
    elif console.is_terminal:
        console.print(as_table(found))
    else:
        for port in found:
            print("  ".join(filter(None, (port.path, device(port), port.description, remark(port)))))
    raise typer.Exit(0 if found else 1)


def as_object(port: Port) -> dict[str, object]:
    """For `--json`; `path` is the name to use in a configuration."""
    return {"path": port.path, **msgspec.to_builtins(port)}


def as_table(ports: list[Port]) -> Table:
    """Long by-id names are wrapped, so that they can be copied from a narrow terminal."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("name to configure", style="cyan", overflow="fold", ratio=3)
    table.add_column("device", no_wrap=True)
    table.add_column("what it is", overflow="fold", ratio=2)
    table.add_column("", overflow="fold", ratio=2)
    for port in ports:
        table.add_row(port.path, device(port), port.description, Text(remark(port), style="yellow"))
    return table


def device(port: Port) -> str:
    """What the name leads to; empty where the name is that of the device."""
    return port.device if port.device != port.path else ""


def remark(port: Port) -> str:
    """Why a port cannot be read, or what to know about its name; empty if nothing."""
    if port.holder:
        return f"in use by {port.holder}"
    if not port.may_open:
        return "no permission; add yourself to the group dialout"
    if port.has_twin:
        return "another adapter has the same serial number, so this name is that of the USB socket"
    return "not an infrared head" if port.is_foreign else ""
