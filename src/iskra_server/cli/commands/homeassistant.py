"""`homeassistant`: print the YAML of RESTful sensors for this server. `homeassistant backfill` (backfill.py)."""

import os
from collections.abc import Callable
from functools import partial
from http.client import HTTPException
from typing import Annotated
from urllib.request import urlopen

import msgspec
import typer

from iskra_server.base.announcement import outward_address
from iskra_server.cli.commands.backfill import EXAMPLES as BACKFILL_EXAMPLES
from iskra_server.cli.commands.backfill import backfill
from iskra_server.cli.ui import local_server
from iskra_server.cli.ui.options import ConfigFile, Lang, group_app
from iskra_server.cli.ui.usage_error import usage_errors
from iskra_server.config import ServerConfig, load
from iskra_server.homeassistant.rest_yaml import ListedMeter, ListedMeters, address, whole_yaml

app = group_app(
    "Print the YAML for Home Assistant; write the hours that it missed.",
    {
        "iskra-server homeassistant": "for this machine",
        "iskra-server homeassistant --url http://pi:8080": "for a server elsewhere",
        "iskra-server homeassistant backfill": "write what it missed",
    },
    needs_subcommand=False,
)
app.command(epilog=BACKFILL_EXAMPLES)(backfill)
_ALL_ADDRESSES = ("0.0.0.0", "::")
_TOKEN = {
    "en": """\
# This server requires its token. Add these two lines below each "resource:", and to secrets.yaml
# iskra_authorization: "Bearer " with the token behind it:
#   headers:
#     Authorization: !secret iskra_authorization
""",
    "de": """\
# Dieser Server verlangt sein Token. Fügen Sie diese zwei Zeilen unter jeder Zeile "resource:" ein, und in
# secrets.yaml iskra_authorization: "Bearer " mit dem Token dahinter:
#   headers:
#     Authorization: !secret iskra_authorization
""",
}
_NO_READING = {
    "en": "# {} does not answer with a current reading. Once it does, this command prints all registers.",
    "de": "# {} hat keinen aktuellen Wert. Sobald einer da ist, gibt dieser Befehl alle Register aus.",
}


@app.callback(invoke_without_command=True)
def homeassistant(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="Address of the server for Home Assistant.",
            show_default="this machine's address",
        ),
    ] = None,
    *,
    lang: Lang,
    config: ConfigFile = None,
) -> None:
    """Print the YAML for Home Assistant; write the hours that it missed."""
    if context.invoked_subcommand:
        return
    server = load(os.environ, config).server
    with usage_errors():
        base = address(url) if url else _local_url(server)
    meters = _meters_with_readings(partial(_read, base) if url else partial(local_server.ask, server, "/api/v1/meters"))
    print(whole_yaml(base, meters, lang))
    if server.token and not url:
        print(_TOKEN[lang])
    if not meters:
        print(_NO_READING[lang].format(base))


def _local_url(server: ServerConfig) -> str:
    return local_server.base_url(server, (outward_address() or "127.0.0.1") if server.host in _ALL_ADDRESSES else None)


def _read(base: str) -> bytes:
    with urlopen(f"{base}/api/v1/meters", timeout=local_server.TIMEOUT_S) as answer:
        return local_server.read_body(answer)


def _meters_with_readings(read: Callable[[], bytes]) -> list[ListedMeter]:
    """The meters that have a current reading; none if the server does not answer."""
    try:
        meters = msgspec.json.decode(read(), type=ListedMeters).meters
    except (OSError, HTTPException, ValueError):
        return []
    return [meter for meter in meters if meter.registers]
