"""Layers of values, a later one over the earlier ones: each value is checked when it is added, and has an origin."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec.structs import replace

from iskra_server.base.address import Address
from iskra_server.base.language import Bilingual, in_both
from iskra_server.base.secret import Secret
from iskra_server.config.app_options import NOT_SET, OPTIONS
from iskra_server.config.contract_sections import MAX_PRICE
from iskra_server.config.findings import ConfigError
from iskra_server.config.key_sentences import FAULTS, FORMS, SENTENCES
from iskra_server.config.keys import (
    LISTS,
    PREFIX,
    SECTIONS,
    TABLES,
    Key,
    Table,
    describe,
    describe_tables,
    expected_in_both,
    holds_names,
    is_filled,
)
from iskra_server.config.sections import Config
from iskra_server.config.suggestions import short, suggestion

FILE_VARIABLE = "IES_CONFIG"
# more are no help, and each takes a millisecond: a key like the wrong one is searched
MAX_ERRORS = 100
# bytes of a text: with what is appended to it, it must fit into a string of MQTT, 65,535 bytes
_MAX_TEXT = 60_000
# of an entry of a list in a path: contracts.1.energy
_NUMBER = re.compile(r"\.[0-9]{1,5}(?=\.|$)")
_YEAR = re.compile(r"[12][0-9]{3}")
# of a number that is repeated in an error
_MAX_BITS = 128
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ADDRESS_BEGINS = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*://|simulator:|file:|[/.~]|auto\s*(\?|$)|$)")


class Layers:
    """Checked values by section and name; `origins` by key path ("server.port", "meters.1.url").

    Without `errors` the first mistake is raised; with it they are appended, and the values that are wrong left out;
    the one after the hundredth is raised.
    """

    def __init__(self, errors: list[ConfigError] | None = None) -> None:
        self.origins: dict[str, str] = {}
        self._errors = errors
        self._keys = {key.path: key for key in describe()}
        self._table_keys = {key.path: key for key in describe_tables()}
        self._sections: dict[str, dict[str, object]] = {name: {} for name in SECTIONS if name not in LISTS}
        self._lists: dict[str, list[dict[str, object]]] = {name: [{} for _ in range(LISTS[name])] for name in LISTS}

    def add_file(self, content: Mapping[str, object], origin: str, within: str = "") -> None:
        """The content of a file; `within` is "outputs." for the tables in [outputs]."""
        for name, values in content.items():
            with self._collecting_errors():
                self._add_section(within + name, values, origin)

    def _add_section(self, section: str, values: object, origin: str) -> None:
        if section in LISTS:
            self._replace_list(section, values, origin)
        elif section not in SECTIONS and not _has_sections(section):
            # a key that stands above its section
            names = [path for path in (*self._keys, *TABLES) if path.endswith(f".{section}")]
            if len(names) > 1:
                # the table of a contract, written without its contract
                names = names[:1]
            names = names or list(SECTIONS)
            raise _mistake(
                "no_section", section, name=short(section), origin=origin, suggestion=suggestion(section, names)
            )
        elif not isinstance(values, Mapping):
            raise _mistake("must_be_section", section, name=short(section), origin=origin)
        elif section in SECTIONS:
            for key, value in values.items():
                with self._collecting_errors():
                    self._set(self._sections[section], section, key, value, origin)
        else:
            self.add_file(values, origin, f"{section}.")

    @contextmanager
    def _collecting_errors(self) -> Iterator[None]:
        """Around what may be wrong while everything else is still checked."""
        try:
            yield
        except ConfigError as error:
            if self._errors is None or len(self._errors) >= MAX_ERRORS:
                raise
            self._errors.append(error)

    def add_options(self, content: Mapping[str, object], origin: str) -> None:
        """The options of the app of Home Assistant: flat names (app_options.py), and sections as in a file."""
        for name, value in content.items():
            if name in SECTIONS or _has_sections(name):
                self.add_file({name: value}, origin)
            elif name not in OPTIONS:
                raise ConfigError(
                    f"'{short(name)}' in {origin} is not an option{suggestion(name, (*OPTIONS, *SECTIONS))[0]}"
                )
            elif value not in NOT_SET:
                for path in OPTIONS[name]:
                    section, _, key = path.rpartition(".")
                    if path in LISTS:
                        self._replace_list(path, value, origin, shown=name)
                    else:
                        self._set(self._sections[section], section, key, value, origin, shown=name)

    def add_environment(self, environ: Mapping[str, str]) -> None:
        variables = [variable for key in self._keys.values() for variable in key.variables]
        # a compose file passes on an unset variable as an empty one
        used = [name for name in environ if name.startswith(PREFIX) and environ[name] and name != FILE_VARIABLE]
        for name in used:
            with self._collecting_errors():
                if name not in variables:
                    raise ConfigError(f"The variable {short(name)} is not known{suggestion(name, variables)[0]}")
        for key in self._keys.values():
            names = [variable for variable in key.variables if variable in used]
            with self._collecting_errors():
                if len(names) > 1:
                    raise ConfigError(f"{' and '.join(names)} both set {key.path}; keep one of them.", key.path)
                for name in names:
                    self.add(key.path, _split(environ[name]) if key.path == "meters.url" else environ[name], name)

    def add(self, path: str, value: object, origin: str) -> None:
        """One value; "meters.url" takes a list of URLs, any other key of a list is set in each of its entries."""
        section, _, name = path.rpartition(".")
        if path == "meters.url" and isinstance(value, list):
            self._replace_list(section, [{name: url} for url in value], origin)
        elif section in LISTS:
            entries = self._lists[section] = self._lists[section] or [{}]
            for number, entry in enumerate(entries, 1):
                self._set(entry, f"{section}.{number}", name, value, origin)
        else:
            self._set(self._sections[section], section, name, value, origin)

    def config(self) -> Config:
        tree: dict[str, Any] = {**self._lists}
        for section, values in self._sections.items():
            outer, _, name = section.rpartition(".")
            (tree.setdefault(outer, {}) if outer else tree)[name] = values
        config = msgspec.convert(tree, Config, dec_hook=_secret)
        urls = [meter.url for meter in config.meters]
        if duplicate := next((url for url in urls if urls.count(url) > 1), None):
            raise _mistake("same_url", url=duplicate)
        return config

    def _replace_list(self, section: str, entries: object, origin: str, shown: str = "") -> None:
        """A list replaces the one of an earlier layer whole. `shown` is its name as an option."""
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            form = in_both(FORMS["url_list" if shown else "section_list"], name=section)
            raise _mistake("must_be_list", section, form, name=shown or section, origin=origin)
        if len(entries) < LISTS[section]:
            raise _mistake("no_meter", origin=origin)
        self.origins = {path: name for path, name in self.origins.items() if not path.startswith(f"{section}.")}
        self._lists[section] = [{} for _ in entries]
        for number, entry in enumerate(entries, 1):
            for name, value in entry.items():
                option = f"{shown}.{number}.{name}" if shown else ""
                is_cleared = option and value in (None, "") and f"{section}.{name}" in self._keys
                if is_cleared:
                    continue
                with self._collecting_errors():
                    self._set(
                        self._lists[section][number - 1], f"{section}.{number}", name, value, origin, shown=option
                    )

    def _set(
        self, values: dict[str, object], section: str, name: str, value: object, origin: str, *, shown: str = ""
    ) -> None:
        """`section` is "server", or "meters.1" for an entry of a list; `shown` is the key's name as an option."""
        path = f"{section}.{name}"
        plain = _NUMBER.sub("", path)
        table = TABLES.get(plain)
        if table and (isinstance(value, (Mapping, list)) or plain not in self._keys):
            values[table.field] = self._table(table, path, value, origin)
            return
        key = self._keys.get(plain) or self._table_keys.get(plain)
        if key is None:
            known = self._suggested(path, name if shown else "")
            raise _mistake("no_key", short(path), name=short(shown or path), origin=origin, suggestion=known)
        where = f"{origin} ({path})" if origin.startswith(PREFIX) else f"{shown or path} in {origin}"
        if holds_names(key) and isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            value = ", ".join(value)
        if isinstance(value, str) and (fault := _fault(value)):
            raise _mistake("bad_text", path, where=where, path=path, fault=fault)
        try:
            # the environment has only text; a file has numbers
            values[name] = msgspec.convert(
                value, key.type, strict=not origin.startswith(PREFIX), dec_hook=_filled if is_filled(key) else _secret
            )
        except msgspec.ValidationError:
            form = FORMS["quoted"] if expected_in_both(key) == FORMS["text"] else expected_in_both(key)
            wrong = _wrong_value(key, value)
            raise _mistake("must_be", path, form, where=where, path=path, wrong=wrong) from None
        self.origins[path] = origin

    def _table(self, table: Table, path: str, value: object, origin: str) -> object:
        """The values of a table, or of a list of tables; checked as those of a section."""
        if table.is_list:
            if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
                form = in_both(FORMS["table_list"], name=_NUMBER.sub("", path))
                raise _mistake("form", path, form, path=short(path), origin=origin)
            return [self._values(table, f"{path}.{number}", entry, origin) for number, entry in enumerate(value, 1)]
        if not isinstance(value, Mapping):
            form = in_both(FORMS["table"], name=_NUMBER.sub("", path))
            raise _mistake("form", path, form, path=short(path), origin=origin)
        return self._values(table, path, value, origin)

    def _values(self, table: Table, path: str, content: Mapping[str, object], origin: str) -> dict[str, object]:
        values: dict[str, object] = {}
        for name, value in content.items():
            with self._collecting_errors():
                if table.keys:
                    self._set(values, path, name, value, origin)
                elif table.has_years and isinstance(value, Mapping):
                    if not _YEAR.fullmatch(name):
                        key = short(f"{path}.{name}")
                        raise _mistake("must_be_year", key, FORMS["year"], key=key, path=path, origin=origin)
                    year = replace(table, has_years=False)
                    values[name] = self._values(year, f"{path}.{name}", value, origin)
                else:
                    values[name] = _price(short(f"{path}.{name}"), value, origin)
                    self.origins[f"{path}.{name}"] = origin
        return values

    def _suggested(self, path: str, option: str) -> Bilingual:
        """The end of a sentence about an unknown key: another one, or all of its section."""
        path = _NUMBER.sub("", path)
        section, _, name = path.rpartition(".")
        inside = [name for name in (*self._table_keys, *TABLES) if name.rpartition(".")[0] == section]
        if section in TABLES:
            return suggestion(path, inside)
        if option:
            return suggestion(option, [key.name for key in self._keys.values() if key.section in LISTS])
        if section == "offers" and f"contracts.{name}" in self._keys:
            return "; only [[contracts]] has it. Remove it.", "; nur [[contracts]] hat ihn. Entfernen Sie ihn."
        return suggestion(path, [*self._keys, *inside])


def _price(path: str, value: object, origin: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= MAX_PRICE:
        form = in_both(FORMS["price"], high=MAX_PRICE)
        raise _mistake("form", path, form, path=path, origin=origin)
    return float(value)


def _secret(kind: type, value: object) -> Secret:
    """Makes a Secret or an Address of text."""
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise ValueError("not text")
    secret: Secret = kind(value)
    return secret


def _filled(kind: type, value: object) -> Secret:
    if not value:
        raise ValueError("empty")
    return _secret(kind, value)


def _fault(text: str) -> Bilingual | None:
    """Why a text can be no name, path or address, None if it can; does not repeat the text, which may be a secret."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return FAULTS["utf8"]
    if len(data) > _MAX_TEXT:
        return in_both(FAULTS["long"], most=_MAX_TEXT)
    match = _CONTROL.search(text)
    return in_both(FAULTS["control"], code=f"U+{ord(match[0]):04X}") if match else None


def _split(urls: str) -> list[str]:
    """Addresses between commas. A comma in a URL, such as in its password, is followed by no beginning of another."""
    found: list[str] = []
    for part in urls.split(","):
        if found and "://" in found[-1] and not _ADDRESS_BEGINS.match(part):
            found[-1] += f",{part}"
        else:
            found.append(part)
    return [url.strip() for url in found if url.strip()]


def _has_sections(name: str) -> bool:
    return any(section.startswith(f"{name}.") for section in SECTIONS)


def _wrong_value(key: Key, value: object) -> Bilingual:
    """The end of a sentence: the wrong value, unless it is a secret."""
    if key.secret:
        return "", ""
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        # Python makes no text of it
        return "", ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "://" in text:
        # an address in the wrong key may hold a password
        text = str(Address(text))
    shown = f"'{text[:40]}'" if isinstance(value, str) else text[:40]
    return f", not {shown}", f", nicht {shown}"


def _mistake(fault: str, key: str = "", expected: Bilingual = ("", ""), /, **details: object) -> ConfigError:
    return ConfigError(in_both(SENTENCES[fault], expected=expected, **details), key, expected)
