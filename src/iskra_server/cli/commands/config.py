"""`config check` and `config show`."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import chain
from operator import attrgetter
from typing import Any

from msgspec import Struct

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.cli.ui.options import ConfigFile, group_app
from iskra_server.config import (
    LISTS,
    SECTIONS,
    TABLES,
    ConfigError,
    Key,
    Loaded,
    describe,
    describe_tables,
    load_with_origins,
)
from iskra_server.config.findings import without_consequences
from iskra_server.cost.from_config import contract_findings
from iskra_server.runtime.config_problems import config_problems

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
    """Check the configuration. Exit status 2 and all errors if it is wrong; warnings change no status."""
    errors: list[ConfigError] = []
    try:
        loaded = load_with_origins(os.environ, config, errors=errors)
    except ConfigError as error:
        _end_with([*errors, error])
    today = datetime.now(UTC).astimezone().date()
    findings = without_consequences(contract_findings(loaded.config.contracts, loaded.config.offers, today), errors)
    for finding in findings:
        if finding.level == "warning":
            print(f"Warning: {finding.sentence}", file=sys.stderr)
    further = without_consequences(config_problems(loaded.config), errors)
    errors += (ConfigError(finding.sentence) for finding in findings if finding.level == "error")
    _end_with([*errors, *further])
    where = f"The configuration {loaded.file}" if loaded.file else "The configuration (without a file)"
    meters = ", ".join(str(meter.url) for meter in loaded.config.meters)
    print(f"{where} is valid: {meters}; port {loaded.config.server.port}.")


def _end_with(errors: Sequence[ConfigError]) -> None:
    """Print all errors, each once; the end of the program prints the last."""
    sentences = list(dict.fromkeys(map(str, errors)))
    for sentence in sentences[:-1]:
        print(f"iskra-server: {sentence}", file=sys.stderr)
    if sentences:
        raise ConfigError(sentences[-1])


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
            yield _tables(section, f"{section}.{number}", item, loaded)


def _section(title: str, path: str, values: Struct, loaded: Loaded) -> Iterator[str]:
    yield title
    section = title.strip("[]")
    for key in describe() + describe_tables():
        if key.section != section or (key.path in TABLES and getattr(values, TABLES[key.path].field) is not None):
            # where a table of the same name is set, as for feed_in, it is shown instead
            continue
        # `from` is no name of an attribute
        value = getattr(values, "from_" if key.name == "from" else key.name)
        if value is not None:
            origin = loaded.origins.get(f"{path}.{key.name}", "default")
            yield f"# {key.description}"
            yield f"{key.name} = {toml_value(_shown(key, value))}  # {origin}"
    yield ""


def _tables(section: str, path: str, values: Struct, loaded: Loaded) -> Iterator[str]:
    """The tables in an entry of a list that are set, and those in them."""
    for name, table in TABLES.items():
        value = getattr(values, table.field) if name.rpartition(".")[0] == section else None
        inner = path + name.removeprefix(section)
        if isinstance(value, Struct):
            yield from _section(f"[{name}]", inner, value, loaded)
            yield from _tables(name, inner, value, loaded)
        elif isinstance(value, tuple):
            for number, entry in enumerate(value, 1):
                yield from _section(f"[[{name}]]", f"{inner}.{number}", entry, loaded)
        elif value:
            yield from _prices(name, value)


def _prices(title: str, prices: Mapping[str, Any]) -> Iterator[str]:
    """Prices under names of any choice; those of a year in a table of their own."""
    yield f"[{title}]"
    yield from (f"{toml_value(name)} = {price}" for name, price in prices.items() if not isinstance(price, dict))
    yield ""
    for name, inner in prices.items():
        if isinstance(inner, dict):
            yield from _prices(f"{title}.{name}", inner)


def _shown(key: Key, value: object) -> object:
    """The value with its secrets masked; masked whole where it should be an address and is not one."""
    if not isinstance(value, Secret):
        return value
    is_address = isinstance(value, Address) and (value.scheme or not key.secret)
    return str(value if is_address else Secret(value))


def toml_value(value: object) -> str:
    """A TOML value: as in JSON, except infinity and dates."""
    if isinstance(value, date):
        return value.isoformat()
    return "inf" if value == float("inf") else json.dumps(value, ensure_ascii=False)
