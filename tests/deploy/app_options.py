"""The options of an app, checked as the Supervisor of Home Assistant does before it writes them to /data/options.json.

The rules are those of supervisor/apps/options.py for the types that our apps use. An option that is not in the schema
is left out; one that is missing is an error unless its type ends with "?". A list of tables, and a table, have no "?".
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

_TYPE = re.compile(r"^(?P<name>[a-z]+)(\((?P<range>.*)\))?\??$")


class OptionError(Exception):
    """The sentence that the Supervisor logs instead of starting the app."""


def checked_options(schema: dict[str, Any], options: dict[str, Any], within: str = "root") -> dict[str, Any]:
    for name, kind in schema.items():
        inner = kind[0] if isinstance(kind, list) else kind
        if name not in options and not (isinstance(inner, str) and inner.endswith("?")):
            raise OptionError(f"Missing option '{name}' in {within}")
    return {name: _checked(schema[name], value, name) for name, value in options.items() if name in schema}


def leaves(schema: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The path of each single value: ("language",), ("sources", "url")."""
    for name, kind in schema.items():
        inner = kind[0] if isinstance(kind, list) else kind
        if isinstance(inner, dict):
            yield from ((name, *path) for path in leaves(inner))
        else:
            yield (name,)


def _checked(kind: Any, value: Any, name: str) -> Any:
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise OptionError(f"Invalid list for option '{name}'")
        return [_checked(kind[0], entry, name) for entry in value]
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            raise OptionError(f"Invalid dict for option '{name}'")
        return checked_options(kind, value, name)
    parts = _TYPE.match(kind)
    if value is None or not parts:
        raise OptionError(f"Missing required option '{name}', or unknown type '{kind}'")
    try:
        return _CHECKS[parts["name"]](value, parts["range"] or "")
    except (ValueError, TypeError):
        raise OptionError(f"Option '{name}' must be {kind}, not {value!r}") from None


def _number(convert: Callable[[Any], Any]) -> Callable[[Any, str], Any]:
    def check(value: Any, limits: str) -> Any:
        number = convert(value)
        least, _, most = limits.partition(",")
        if (least and number < float(least)) or (most and number > float(most)):
            raise ValueError
        return number

    return check


def _text(value: Any, limits: str) -> str:
    if not isinstance(value, str):
        raise ValueError
    _number(len)(value, limits)
    return value


def _choice(value: Any, choices: str) -> str:
    if str(value) not in choices.split("|"):
        raise ValueError
    return str(value)


def _pattern(value: Any, pattern: str) -> str:
    if not re.match(pattern, str(value)):
        raise ValueError
    return str(value)


def _bool(value: Any, _: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "str": _text,
    "password": _text,
    "int": _number(int),
    "float": _number(float),
    "port": lambda value, _: _number(int)(value, "1,65535"),
    "bool": _bool,
    "list": _choice,
    "match": _pattern,
}
