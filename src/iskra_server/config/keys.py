"""Every key of the configuration, read off the sections: path in a file, variables, type, default, description."""

from collections.abc import Iterator, Mapping
from datetime import date
from operator import attrgetter
from typing import Any, Literal, Union, get_args, get_origin

from msgspec import Struct, structs

from iskra_server.base.address import Address, PathSecret
from iskra_server.base.language import Bilingual, in_both
from iskra_server.base.secret import Secret
from iskra_server.config.contract_sections import YearPrices
from iskra_server.config.key_sentences import FORMS
from iskra_server.config.output_sections import OutputsConfig
from iskra_server.config.sections import Config

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


class Table(Struct, frozen=True):
    """A table in an entry of a list, such as "contracts.energy": the field that holds it, and what may be in it.

    `keys` is None for prices under names of any choice; with `has_years` also for tables of them named by a year.
    A list of tables is written [[contracts.energy.windows]].
    """

    field: str
    keys: type[Struct] | None
    is_list: bool = False
    has_years: bool = False


class Key(Struct, frozen=True):
    """One key: `path` is "server.port", for a key of each meter "meters.name".

    Only the first of `variables` is named in messages; a `secret` is also read from the file that VARIABLE_FILE names.
    """

    path: str
    type: Any
    default: str | int | float | bool | date | Secret | None
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


def describe_tables() -> tuple[Key, ...]:
    """Every key of the tables in entries of a list; they have no variables."""
    return tuple(key for path, table in TABLES.items() if table.keys for key in _keys_of(table.keys, path))


def secrets_of(config: Config) -> Iterator[Secret]:
    """Every configured value that must not be printed, addresses included."""
    for key in describe():
        section = attrgetter(key.section)(config)
        values = (getattr(entry, key.name) for entry in (section if key.section in LISTS else (section,)))
        yield from (value for value in values if isinstance(value, Secret))


def expected(key: Key) -> str:
    """What a value must be, in words: "a whole number from 1 to 65535"."""
    return expected_in_both(key)[0]


def expected_in_both(key: Key) -> Bilingual:
    kind, meta = get_args(key.type)
    if get_origin(kind) is Union:
        # a number or None
        kind, meta = get_args(get_args(kind)[0])
    if get_origin(kind) is Literal:
        return in_both(FORMS["one_of"], values=", ".join(map(str, get_args(kind))))
    if kind is bool:
        return FORMS["switch"]
    if kind is date:
        return FORMS["date"]
    if kind in (str, Secret, Address, PathSecret):
        return FORMS["filled" if meta.min_length or is_filled(key) else "text"]
    noun = FORMS["whole" if kind is int else "number"]
    form = ("from" if meta.gt is None else "above") + ("_on" if meta.le is None else "")
    return in_both(FORMS[form], noun=noun, low=meta.ge if meta.gt is None else meta.gt, high=meta.le)


def is_filled(key: Key) -> bool:
    """Whether the key is an address that may not be empty."""
    return bool((get_args(key.type)[1].extra or {}).get("filled"))


def holds_names(key: Key) -> bool:
    """Whether the key is text with names between commas, which may also be a list of them."""
    return bool((get_args(key.type)[1].extra or {}).get("names"))


def _keys(section: str) -> Iterator[Key]:
    yield from _keys_of(SECTIONS[section], section, has_variables=True)


def _keys_of(fields: type[Struct], section: str, *, has_variables: bool = False) -> Iterator[Key]:
    for field in structs.fields(fields):
        _, meta = get_args(field.type)
        extra = meta.extra or {}
        if "table" in extra:
            continue
        path = f"{section}.{field.encode_name}"
        # the variable of outputs.mqtt.url is IES_MQTT_URL
        variable = f"{PREFIX}{section.rpartition('.')[2]}_{field.name}".upper()
        variables = _VARIABLES.get(path, (variable,)) if has_variables else ()
        yield Key(path, field.type, field.default, meta.description, variables, bool(extra.get("secret")))


def _tables(outer: type[Struct], path: str) -> Iterator[tuple[str, Table]]:
    """The tables in a section, and those in them."""
    for field in structs.fields(outer):
        kind, meta = get_args(field.type)
        if name := (meta.extra or {}).get("table"):
            inner = f"{path}.{name}"
            # the type is TariffConfig | None, tuple[WindowConfig, ...] or a dictionary
            keys = next(iter(get_args(kind)), kind)
            is_struct = isinstance(keys, type) and issubclass(keys, Struct)
            yield inner, Table(field.name, keys if is_struct else None, get_origin(kind) is tuple, kind == YearPrices)
            if is_struct:
                yield from _tables(keys, inner)


# by path: "contracts.energy", "contracts.energy.windows"
TABLES: Mapping[str, Table] = {path: table for section in LISTS for path, table in _tables(SECTIONS[section], section)}
