"""`config check` and `config show`."""

import json
import os
from collections.abc import Iterator
from datetime import date
from itertools import chain
from operator import attrgetter

from msgspec import Struct

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.cli.ui.options import ConfigFile, group_app
from iskra_server.config import LISTS, SECTIONS, Key, Loaded, describe, load_with_origins
from iskra_server.runtime.output_factory import broker_settings
from iskra_server.runtime.plan import plan_of

app = group_app(
    "Check and show the configuration.",
    {
        "iskra-server config show": "every key, its value and origin",
        "iskra-server config show > iskra-server.toml": "a file to start from",
        "iskra-server config check --config x.toml": "check this file",
    },
)


@app.command()
def check(config: ConfigFile = None) -> None:
    """Check the configuration. Exit status 2 and the first error if it is wrong."""
    loaded = load_with_origins(os.environ, config)
    plan_of(loaded.config)
    if loaded.config.collect.url:
        broker_settings("collect", loaded.config.collect)
    where = f"The configuration {loaded.file}" if loaded.file else "The configuration (without a file)"
    meters = ", ".join(str(meter.url) for meter in loaded.config.meters)
    print(f"{where} is valid: {meters}; port {loaded.config.server.port}.")


@app.command()
def show(config: ConfigFile = None) -> None:
    """Print the effective configuration as TOML, with the origin of each value."""
    print("\n".join(as_toml(load_with_origins(os.environ, config))).rstrip())


def as_toml(loaded: Loaded) -> Iterator[str]:
    """The lines of a configuration file, with passwords masked."""
    return chain.from_iterable(_sections(loaded))


def _sections(loaded: Loaded) -> Iterator[Iterator[str]]:
    for section in SECTIONS:
        values = attrgetter(section)(loaded.config)
        if section not in LISTS:
            yield _section(f"[{section}]", section, values, loaded)
        for number, item in enumerate(values if section in LISTS else (), 1):
            yield _section(f"[[{section}]]", f"{section}.{number}", item, loaded)


def _section(title: str, path: str, values: Struct, loaded: Loaded) -> Iterator[str]:
    yield title
    for key in describe():
        if key.section == title.strip("[]"):
            value, origin = getattr(values, key.name), loaded.origins.get(f"{path}.{key.name}", "default")
            yield f"# {key.description}"
            yield f"{key.name} = {_toml(_shown(key, value))}  # {origin}"
    yield ""


def _shown(key: Key, value: object) -> object:
    """The value with its secrets masked; masked whole where it should be an address and is not one."""
    if not isinstance(value, Secret):
        return value
    is_address = isinstance(value, Address) and (value.scheme or not key.secret)
    return str(value if is_address else Secret(value))


def _toml(value: object) -> str:
    """A TOML value: as in JSON, except infinity and dates."""
    if isinstance(value, date):
        return value.isoformat()
    return "inf" if value == float("inf") else json.dumps(value, ensure_ascii=False)
