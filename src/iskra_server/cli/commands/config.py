"""`config check` and `config show`."""

import json
import os
from collections.abc import Iterator
from datetime import date
from itertools import chain
from operator import attrgetter

import typer
from msgspec import Struct

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.cli.ui.options import HELP, ConfigFile, examples
from iskra_server.config import LISTS, SECTIONS, Key, Loaded, describe, load_with_origins
from iskra_server.outputs.mqtt.settings import broker_settings
from iskra_server.runtime.plan import plan_of

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings=HELP,
    help="Check and show the configuration.",
    epilog=examples(
        {
            "iskra-server config show": "every key, and who set it",
            "iskra-server config show > iskra-server.toml": "a file to begin with",
            "iskra-server config check --config x.toml": "is this file right?",
        }
    ),
)


@app.command()
def check(config: ConfigFile = None) -> None:
    """Say whether the configuration is right; exit status 2 and the first mistake if not."""
    loaded = load_with_origins(os.environ, config)
    plan_of(loaded.config)
    if loaded.config.collect.url:
        broker_settings("collect", loaded.config.collect)
    where = f"The configuration {loaded.file}" if loaded.file else "The configuration (no file, it needs none)"
    meters = ", ".join(str(meter.url) for meter in loaded.config.meters)
    print(f"{where} is good: {meters}; port {loaded.config.server.port}.")


@app.command()
def show(config: ConfigFile = None) -> None:
    """Print the configuration in force as TOML, and where each value comes from."""
    print("\n".join(as_toml(load_with_origins(os.environ, config))).rstrip())


def as_toml(loaded: Loaded) -> Iterator[str]:
    """The lines of a configuration file; passwords are masked."""
    return chain.from_iterable(_sections(loaded))


def _sections(loaded: Loaded) -> Iterator[Iterator[str]]:
    for section in SECTIONS:
        values = attrgetter(section)(loaded.config)
        if section not in LISTS:
            yield _section(f"[{section}]", section, values, loaded)
        for number, each in enumerate(values if section in LISTS else (), 1):
            yield _section(f"[[{section}]]", f"{section}.{number}", each, loaded)


def _section(title: str, path: str, values: Struct, loaded: Loaded) -> Iterator[str]:
    yield title
    for key in describe():
        if key.section == title.strip("[]"):
            value, origin = getattr(values, key.name), loaded.origins.get(f"{path}.{key.name}", "default")
            yield f"# {key.description}"
            yield f"{key.name} = {_toml(_shown(key, value))}  # {origin}"
    yield ""


def _shown(key: Key, value: object) -> object:
    """Of a secret what may be seen; nothing, where it should be an address and is none."""
    if not isinstance(value, Secret):
        return value
    is_address = isinstance(value, Address) and (value.scheme or not key.secret)
    return str(value if is_address else Secret(value))


def _toml(value: object) -> str:
    """A TOML value: written as in JSON, but for the infinite and days."""
    if isinstance(value, date):
        return value.isoformat()
    return "inf" if value == float("inf") else json.dumps(value, ensure_ascii=False)
