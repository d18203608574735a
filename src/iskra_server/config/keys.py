"""Every key of the configuration, read off the sections: path in a file, variables, type, default, description."""

from collections.abc import Iterator, Mapping
from datetime import date
from operator import attrgetter
from typing import Any, Literal, get_args, get_origin

from msgspec import Struct, structs

from iskra_server.base.address import Address, PathSecret
from iskra_server.base.secret import Secret
from iskra_server.config.sections import Config, OutputsConfig

PREFIX = "IES_"
# keys whose variables are not IES_<SECTION>_<KEY>: names of the founding project, and the list of meters
_VARIABLES = {
    "history.data_dir": ("IES_DATA_DIR",),
    "history.database_url": ("IES_DATABASE_URL",),
    "history.database_profile": ("IES_DATABASE_PROFILE",),
    "server.port": ("IES_PORT", "IES_SERVER_PORT"),
    "server.readout_interval": ("IES_READOUT_INTERVAL", "IES_SERVER_READOUT_INTERVAL"),
    "meters.url": ("IES_METERS",),
}


def _sections(outer: type[Struct], path: str = "") -> Iterator[tuple[str, type[Struct]]]:
    for field in structs.fields(outer):
        section = path + field.name
        if field.type is OutputsConfig:
            yield from _sections(OutputsConfig, f"{section}.")
        else:
            # the type of a list is tuple[MeterConfig, ...]
            yield section, next(iter(get_args(field.type)), field.type)


# by path: "server", "meters", "outputs.mqtt"
SECTIONS: Mapping[str, type[Struct]] = dict(_sections(Config))
# sections that are lists, each entry written [[name]]; and how many entries there are by default
LISTS: Mapping[str, int] = {
    field.name: len(field.default) for field in structs.fields(Config) if isinstance(field.default, tuple)
}


class Key(Struct, frozen=True):
    """One key: `path` is "server.port", for a key of each meter "meters.name".

    Only the first of `variables` is named in messages; a `secret` is also read from the file that VARIABLE_FILE names.
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
    """Every configured value that must not be printed, addresses included."""
    for key in describe():
        section = attrgetter(key.section)(config)
        values = (getattr(entry, key.name) for entry in (section if key.section in LISTS else (section,)))
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
    if kind in (str, Secret, Address, PathSecret):
        return "text that is not empty" if meta.min_length or is_filled(key) else "text"
    noun = "a whole number" if kind is int else "a number"
    low = f"above {meta.gt}" if meta.gt is not None else f"from {meta.ge}"
    if meta.le is None:
        return f"{noun} {low} on"
    return f"{noun} {low} to {meta.le}" if meta.gt is None else f"{noun} {low}, at most {meta.le}"


def is_filled(key: Key) -> bool:
    """Whether the key is an address that may not be empty."""
    return bool((get_args(key.type)[1].extra or {}).get("filled"))


def _keys(section: str) -> Iterator[Key]:
    for field in structs.fields(SECTIONS[section]):
        path = f"{section}.{field.name}"
        # the variable of outputs.mqtt.url is IES_MQTT_URL
        variable = f"{PREFIX}{section.rpartition('.')[2]}_{field.name}".upper()
        _, meta = get_args(field.type)
        secret = bool((meta.extra or {}).get("secret"))
        yield Key(path, field.type, field.default, meta.description, _VARIABLES.get(path, (variable,)), secret)
