"""The file /etc/iskra-server/iskra-server.toml: every key with its default, all of it commented out.

A line of prose begins with "# ", a line of TOML with "#" alone: without these the file is valid.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, get_args

from msgspec.structs import replace

from deb.environment import CONFIG
from iskra_server.base.secret import Secret
from iskra_server.cli.commands.config import toml_value
from iskra_server.config import LISTS, SECTIONS, Key, describe, describe_tables

WIDTH = 100
HEAD = f"""\
Configuration of iskra-server. For one meter with one reading head nothing has to be set.

Every key stands here with its default. To change one, remove the "#" before it and before the
[section] above it. Then:

    iskra-server config check --config {CONFIG}
    sudo systemctl reload iskra-server

Everyone who can log in to this machine can read this file. With a password or token in it, let
only root and the service read it, which is in the group dialout:

    sudo chgrp dialout {CONFIG} && sudo chmod 640 {CONFIG}
"""
# what is said of a section that is a list
ABOUT = {
    "meters": "One entry for each meter. Without any, the head is found automatically.",
    "virtual": "One entry for each virtual meter: a sum or a difference of others.",
    "contracts": "One entry for each contract or change of price, the oldest first.",
    "offers": "Contracts that are compared with yours; the tables of contracts can be used here too.",
    "tokens": "One entry for each access token that shows some groups of meters only.",
    "notify": "One entry for each channel that messages are sent to.",
}
# by path, or by name: where the default cannot be written, would be refused, or is not that of the service
EXAMPLES: dict[str, Any] = {
    "history.data_dir": "/var/lib/iskra-server",
    "virtual.name": "Heat pump",
    "virtual.plus": "1 ISK 00 12345678",
    "virtual.minus": "1 ISK 00 23456789",
    "contracts.begins": date(2026, 1, 1),
    "offers.name": "Another supplier",
    "from": "17:00",
    "to": "21:00",
    "percent_negative": 0.0,
    "contracts.energy.zone": "DE-LU",
    "contracts.feed_in.zone": "DE-LU",
}
NOTES = {"history.data_dir": "The service sets the variable IES_DATA_DIR to this, and a variable overrides this file."}
PRICES = {"prices": {'"1.8.1"': 0.221, '"1.8.2"': 0.178}, "levies": {"electricity_tax": 0.0205}}
# tables of a contract in which the price can change
PARTS = ("contracts.energy", "contracts.grid", "contracts.feed_in")


def config_file() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from (f"# {line}".rstrip() for line in HEAD.splitlines())
    for section in SECTIONS:
        yield ""
        if section in LISTS:
            yield from _prose(ABOUT[section])
        keys = [key for key in describe() if key.section == section]
        yield from _section(f"[[{section}]]" if section in LISTS else f"[{section}]", keys, dict(EXAMPLES))
        if section == "contracts":
            yield from _contracts_in_parts()


def _contracts_in_parts() -> Iterator[str]:
    """A contract for each kind of price, as a kind refuses the keys of another; what is the same is described once."""
    described: set[str] = set()
    kinds = _choices(next(key for key in describe_tables() if key.path == "contracts.energy.kind"))
    for month, kind in enumerate(kinds, 2):
        yield ""
        yield from _prose(f"A contract whose price has parts, kind {kind}.")
        yield "#[[contracts]]"
        yield f"#begins = {date(2026, month, 1)}"
        for part in PARTS:
            keys = sorted((key for key in describe_tables() if key.section == part), key=lambda key: key.name != "kind")
            if kind in _choices(next(key for key in keys if key.name == "kind")):
                yield from _section(f"[{part}]", _of_kind(kind, keys, described), EXAMPLES | {"kind": kind})
                yield from _inner_tables(part, kind, described)
        if kind == kinds[0]:
            yield from _prices("contracts.levies")


def _of_kind(kind: str, keys: Iterable[Key], described: set[str]) -> Iterator[Key]:
    """The keys that this kind has; their descriptions say so: "spot: percentage that ..."."""
    for key in keys:
        owner, is_owned, _ = key.description.partition(": ")
        if not is_owned or owner not in ALL_KINDS or owner == kind:
            yield replace(key, description="") if key.description in described else key
            described.add(key.description)


ALL_KINDS = ("fixed", "windows", "spot", "registers")


def _inner_tables(part: str, kind: str, described: set[str]) -> Iterator[str]:
    if kind == "windows":
        keys = [key for key in describe_tables() if key.section == f"{part}.windows"]
        yield from _section(f"[[{part}.windows]]", _of_kind(kind, keys, described), dict(EXAMPLES))
    elif kind == "registers":
        yield from _prices(f"{part}.prices")


def _prices(table: str) -> Iterator[str]:
    """Prices under names of any choice."""
    yield f"#[{table}]"
    yield from (f"#{name} = {price}" for name, price in PRICES[table.rpartition(".")[2]].items())


def _section(title: str, keys: Iterable[Key], examples: Mapping[str, Any]) -> Iterator[str]:
    yield f"#{title}"
    for key in keys:
        yield from _prose(key.description)
        yield from _prose(NOTES.get(key.path, ""))
        value = examples.get(key.path, examples.get(key.name, key.default))
        yield f"#{key.name} = {toml_value(str(value) if isinstance(value, Secret) else value)}"


def _prose(text: str) -> Iterator[str]:
    yield from (f"# {line}" for line in textwrap.wrap(text, WIDTH - 2, break_on_hyphens=False))


def _choices(key: Key) -> tuple[str, ...]:
    return get_args(get_args(key.type)[0])
