"""Every key: its path in a file, its variable, its type and what it must be, read off the sections."""

from collections.abc import Iterator, Mapping
from datetime import date
from operator import attrgetter
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.config.sections import (
    CollectConfig,
    Config,
    ContractConfig,
    HistoryConfig,
    InfluxConfig,
    LogConfig,
    MeterConfig,
    MqttConfig,
    ServerConfig,
    TokenConfig,
    UplinkConfig,
)

PREFIX = "IES_"
SECTIONS: Mapping[str, type[Struct]] = {
    "server": ServerConfig,
    "meters": MeterConfig,
    "history": HistoryConfig,
    "contracts": ContractConfig,
    "tokens": TokenConfig,
    "outputs.mqtt": MqttConfig,
    "outputs.influx": InfluxConfig,
    "uplink": UplinkConfig,
    "collect": CollectConfig,
    "log": LogConfig,
}
# sections of which there are many, each written [[name]], and how many there are where none is configured
LISTS: Mapping[str, int] = {"meters": 1, "contracts": 0, "tokens": 0}
# the founding project's names, and the list of meters
_VARIABLES = {
    "history.data_dir": ("IES_DATA_DIR",),
    "history.database_url": ("IES_DATABASE_URL",),
    "history.database_profile": ("IES_DATABASE_PROFILE",),
    "server.port": ("IES_PORT", "IES_SERVER_PORT"),
    "server.readout_interval": ("IES_READOUT_INTERVAL", "IES_SERVER_READOUT_INTERVAL"),
    "meters.url": ("IES_METERS",),
}


class Key(Struct, frozen=True):
    """One key: `path` is "server.port", for a key of each meter "meters.name".

    The first of `variables` is its own; a `secret` is also read from a file.
    """

    path: str
    type: Any
    default: str | int | float | bool | date | Secret
    description: str
    variables: tuple[str, ...]
    secret: bool = False

    @property
    def section(self) -> str:
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]


def describe() -> tuple[Key, ...]:
    """Every key, in the order of the file."""
    return tuple(key for section in SECTIONS for key in _keys(section))


def secrets_of(config: Config) -> Iterator[Secret]:
    """Everything in a configuration that must not be seen, addresses among it."""
    for key in describe():
        found = attrgetter(key.section)(config)
        values = (getattr(section, key.name) for section in (found if key.section in LISTS else (found,)))
        yield from (value for value in values if isinstance(value, Secret))


def expected(key: Key) -> str:
    """What a value must be, in words: "a whole number from 1 to 65535"."""
    kind, meta = get_args(key.type)
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    if kind is bool:
        return "true or false"
    if kind is date:
        return "a date such as 2026-01-01"
    if kind in (str, Secret, Address):
        return "text that is not empty" if meta.min_length or is_filled(key) else "text"
    noun = "a whole number" if kind is int else "a number"
    low = f"above {meta.gt}" if meta.gt is not None else f"from {meta.ge}"
    if meta.le is None:
        return f"{noun} {low} on"
    return f"{noun} {low} to {meta.le}" if meta.gt is None else f"{noun} {low}, at most {meta.le}"


def is_filled(key: Key) -> bool:
    """Whether it may not be empty, of a key whose text is an address."""
    return bool((get_args(key.type)[1].extra or {}).get("filled"))


def _keys(section: str) -> Iterator[Key]:
    for member in msgspec.structs.fields(SECTIONS[section]):
        path = f"{section}.{member.name}"
        # the variable of outputs.mqtt.url is IES_MQTT_URL
        own = (f"{PREFIX}{section.rpartition('.')[2]}_{member.name}".upper(),)
        _, meta = get_args(member.type)
        secret = bool((meta.extra or {}).get("secret"))
        yield Key(path, member.type, member.default, meta.description, _VARIABLES.get(path, own), secret)
