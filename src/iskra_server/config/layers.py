"""Layers of values, one over the other: each value is checked when it is laid down, and knows where it came from."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.config.errors import ConfigError
from iskra_server.config.keys import LISTS, PREFIX, SECTIONS, Key, describe, expected, is_filled
from iskra_server.config.sections import Config

FILE_VARIABLE = "IES_CONFIG"
# of a text: with what is put behind it it must fit into a string of MQTT, 65,535 bytes
_LONGEST = 60_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SHOWN = 60


class Layers:
    """Values by key path ("server.port", "meters.1.url"), each checked when it is added; a later one wins."""

    def __init__(self) -> None:
        self.origins: dict[str, str] = {}
        self._keys = {key.path: key for key in describe()}
        self._values: dict[str, object] = {}
        self._counts = dict(LISTS)

    def add_file(self, content: Mapping[str, object], origin: str, within: str = "") -> None:
        """Everything in a file; `within` is the section that its tables stand in: "outputs." for [outputs.mqtt]."""
        for name, values in content.items():
            section = within + name
            if section in LISTS:
                self._list(section, values, origin)
            elif section not in SECTIONS and not _holds_sections(section):
                raise ConfigError(f"'{_short(section)}' in {origin} is not a section{_suggestion(section, SECTIONS)}")
            elif not isinstance(values, Mapping):
                raise ConfigError(f"'{_short(section)}' in {origin} must be a section, written [{_short(section)}].")
            elif section in SECTIONS:
                for key, value in values.items():
                    self._set(f"{section}.{key}", value, origin)
            else:
                self.add_file(values, origin, f"{section}.")

    def add_environment(self, environ: Mapping[str, str]) -> None:
        paths = {variable: key.path for key in self._keys.values() for variable in key.variables}
        # an empty variable is how a compose file passes on one that is not set
        given = [name for name in environ if name.startswith(PREFIX) and environ[name] and name != FILE_VARIABLE]
        for name in given:
            if name not in paths:
                raise ConfigError(f"The variable {_short(name)} is not known{_suggestion(name, paths)}")
        for path in self._keys:
            names = [name for name in self._keys[path].variables if name in given]
            if len(names) > 1:
                raise ConfigError(f"{' and '.join(names)} both set {path}; keep one of them.")
            for name in names:
                self.add(path, _split(environ[name]) if path == "meters.url" else environ[name], name)

    def add(self, path: str, value: object, origin: str) -> None:
        """One value; "meters.url" takes a list of URLs, any other key of a list is set for each of its sections."""
        section, _, name = path.rpartition(".")
        if path == "meters.url" and isinstance(value, list):
            self._list("meters", [{"url": url} for url in value], origin)
        elif section in LISTS:
            self._counts[section] = max(self._counts[section], 1)
            for number in range(1, self._counts[section] + 1):
                self._set(f"{section}.{number}.{name}", value, origin)
        else:
            self._set(path, value, origin)

    def config(self) -> Config:
        tree: dict[str, Any] = {section: {} for section in LISTS}
        for path, value in self._values.items():
            *sections, name = path.split(".")
            place = tree
            for section in sections:
                place = place.setdefault(section, {})
            place[name] = value
        for section, count in self._counts.items():
            tree[section] = [tree[section].get(str(number), {}) for number in range(1, count + 1)]
        config = msgspec.convert(tree, Config, dec_hook=_secret)
        urls = [meter.url for meter in config.meters]
        if twice := next((url for url in urls if urls.count(url) > 1), None):
            raise ConfigError(f"Two meters have the url '{twice}'; give each meter its own.")
        return config

    def _list(self, section: str, entries: object, origin: str) -> None:
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            raise ConfigError(f"'{section}' in {origin} must be a list of sections, each written [[{section}]].")
        if len(entries) < LISTS[section]:
            raise ConfigError(f"'meters' in {origin} lists no meter; leave it out and the meter is found by itself.")
        for known in (self._values, self.origins):
            for path in [path for path in known if path.startswith(f"{section}.")]:
                del known[path]
        self._counts[section] = len(entries)
        for number, entry in enumerate(entries, 1):
            for name, value in entry.items():
                self._set(f"{section}.{number}.{name}", value, origin)

    def _set(self, path: str, value: object, origin: str) -> None:
        key = self._keys.get(re.sub(r"\.\d+\.", ".", path))
        if key is None:
            raise ConfigError(f"'{_short(path)}' in {origin} is not a key{_suggestion(path, self._keys)}")
        where = f"{origin} ({path})" if origin.startswith(PREFIX) else f"{path} in {origin}"
        if isinstance(value, str) and (fault := _fault(value)):
            raise ConfigError(f"{where} {fault}.")
        try:
            # text from the environment may stand for a number; in a file a number is written as one
            self._values[path] = msgspec.convert(
                value, key.type, strict=not origin.startswith(PREFIX), dec_hook=_filled if is_filled(key) else _secret
            )
        except msgspec.ValidationError:
            raise ConfigError(f"{where} must be {expected(key)}{_not(key, value)}.") from None
        self.origins[path] = origin


def _secret(kind: type, value: object) -> Secret:
    """A text that must not be printed, made of plain text."""
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise ValueError("not text")
    made: Secret = kind(value)
    return made


def _filled(kind: type, value: object) -> Secret:
    if not value:
        raise ValueError("empty")
    return _secret(kind, value)


def _fault(text: str) -> str:
    """What keeps a text from being a name, a path or an address of anything; nothing of the text itself."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return "is not text in UTF-8"
    if len(data) > _LONGEST:
        return f"is longer than {_LONGEST} bytes"
    found = _CONTROL.search(text)
    return f"holds a control character (U+{ord(found[0]):04X}); remove it" if found else ""


def _short(word: str) -> str:
    """As much of a word as a sentence has room for."""
    return word if len(word) <= _SHOWN else f"{word[:_SHOWN]}..."


def _split(urls: str) -> list[str]:
    return [url.strip() for url in urls.split(",") if url.strip()]


def _suggestion(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about a word that is not known."""
    names = list(known)
    near = difflib.get_close_matches(_short(word), names, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(names)}."


def _holds_sections(name: str) -> bool:
    return any(section.startswith(f"{name}.") for section in SECTIONS)


def _not(key: Key, value: object) -> str:
    """What a value is instead; nothing of a secret."""
    if key.secret:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "://" in text:
        # whoever mistakes a key for another may put an address into it
        text = str(Address(text))
    return f", not '{text[:40]}'" if isinstance(value, str) else f", not {text[:40]}"
