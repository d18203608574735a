"""`homeassistant`: the YAML of Home Assistant's RESTful sensors for this server (homeassistant/rest_yaml.py)."""

import os
import socket
from collections.abc import Callable
from functools import partial
from http.client import HTTPException
from typing import Annotated
from urllib.request import urlopen

import msgspec
import typer

from iskra_server.cli.ui import local
from iskra_server.cli.ui.options import ConfigFile, examples, single
from iskra_server.cli.ui.refusal import Refused
from iskra_server.config import ServerConfig, load
from iskra_server.homeassistant.rest_yaml import Meter, Meters, address, whole_yaml

app = single()
_EVERYWHERE = ("0.0.0.0", "::")
_EXAMPLES = examples(
    {
        "iskra-server homeassistant": "for this machine",
        "iskra-server homeassistant --url http://pi:8080": "for a server elsewhere",
    }
)
_TOKEN = """\
# This server asks for its token. Add these two lines below each "resource:", and to secrets.yaml
# iskra_authorization: "Bearer " with the token behind it:
#   headers:
#     Authorization: !secret iskra_authorization
"""
# no packet is sent there: the network of documentation (RFC 5737) only tells which way leads out
_OUTSIDE = ("192.0.2.1", 9)


@app.command(epilog=_EXAMPLES)
def homeassistant(
    url: Annotated[
        str | None,
        typer.Option("--url", help="How Home Assistant reaches the server.", show_default="this machine's address"),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Print the YAML for Home Assistant, ready to paste."""
    server = load(os.environ, config).server
    base = _checked(url) if url else _own(server)
    meters = _fresh(partial(_read, base) if url else partial(local.ask, server, "/api/v1/meters"))
    print(whole_yaml(base, meters))
    if server.token and not url:
        print(_TOKEN)
    if not meters:
        print(f"# {base} does not answer with a fresh reading; once it does, this command also prints every register.")


def lan_address() -> str:
    """The address of this machine towards the network, 127.0.0.1 without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_OUTSIDE)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _own(server: ServerConfig) -> str:
    return local.address(server, lan_address() if server.host in _EVERYWHERE else None)


def _checked(url: str) -> str:
    base = address(url)
    if base is None:
        raise Refused(f"'{url}' is no address of a server; write it like http://192.168.1.10:8080.")
    return base


def _read(base: str) -> bytes:
    with urlopen(f"{base}/api/v1/meters", timeout=local.ANSWERS_WITHIN_S) as answer:
        return local.read(answer)


def _fresh(read: Callable[[], bytes]) -> list[Meter]:
    """The meters with a fresh reading, none where the server does not answer."""
    try:
        known = msgspec.json.decode(read(), type=Meters).meters
    except (OSError, HTTPException, msgspec.MsgspecError):
        return []
    return [meter for meter in known if meter.registers]
