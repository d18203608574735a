"""Lists of values alone: a layout says what each element is. layouts.toml holds those that are known.

A layout fits a list of as many elements of the same types whose values pass its checks. If two fit, none is used. The
first that fits stays until three lists in a row contradict it.
"""

import re
import tomllib
from functools import lru_cache
from pkgutil import get_data
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.codecs.dlms import axdr
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.checks import CHECKS, ListFacts, applicable
from iskra_server.codecs.dlms.scales import ISKRA, Scales, kind_of
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import MeterTime, Register
from iskra_server.meter.units import Unit

# what an element is that makes no register
ROLES = ("list-name", "number", "skip")
_TYPES: dict[str, tuple[int, ...]] = {
    "o": (axdr.OCTETS, axdr.VISIBLE, axdr.UTF8),
    "u1": (axdr.UINT8,),
    "u2": (axdr.UINT16,),
    "u4": (axdr.UINT32,),
    "u8": (0x15,),
    "i1": (axdr.INT8,),
    "i2": (0x10,),
    "i4": (0x05,),
    "i8": (0x14,),
    "b": (axdr.BOOLEAN,),
    "e": (axdr.ENUM,),
    "a": (axdr.ARRAY,),
    "s": (axdr.STRUCTURE,),
}
_TYPE = re.compile(r"o(?P<length>\d+)|(?P<types>[a-z]\d?(?:/[a-z]\d?)*)")
_REQUIRED = ("name", "elements", "source")
_KEYS = {*_REQUIRED, "operator", "makers", "checks"}
_FORGET_AFTER = 3
# a meter sends two or three lists in turn
_MAX_REMEMBERED = 8

Signature = tuple[int, ...]


class LayoutError(ValueError):
    """A mistake in a file of layouts; the text says where it stands and what is expected."""


class Place(Struct, frozen=True, gc=False):
    """One element: its code or role, the types that it may have, its scale. Any `length` is -1, any `text` b""."""

    obis: Obis | None
    role: str
    tags: tuple[int, ...]
    length: int = -1
    scaler: int | None = None
    unit: Unit | None = None
    text: bytes = b""


class Layout(Struct, frozen=True):
    """`makers` are letters of the system title, empty for any; `is_own` marks one of the user's own file."""

    name: str
    source: str
    places: tuple[Place, ...]
    operator: str = ""
    makers: tuple[str, ...] = ()
    checks: tuple[str, ...] = tuple(CHECKS)
    is_own: bool = False


class Match(Struct, frozen=True):
    """What a layout makes of a list; `number` is a meter number that has no code."""

    layout: Layout
    registers: tuple[Register, ...]
    elements: tuple[Element, ...]
    number: bytes


class Memory:
    """The layouts of one stream, and which of them its lists have."""

    def __init__(self, layouts: tuple[Layout, ...]) -> None:
        self._layouts = layouts
        self._chosen: dict[Signature, Layout] = {}
        # by the name of a layout
        self._contradictions: dict[str, int] = {}

    def read(self, body: Element, *, time: MeterTime | None, title: bytes, maker: str) -> Match | None:
        """What the list says by the one layout that fits; None where none or more than one does."""
        signature = tuple(element.tag for element in body.items)
        if chosen := self._chosen.get(signature):
            match = _match(chosen, body, maker)
            if match is not None and self.is_still_valid(chosen, match.registers, time=time, title=title):
                return match
            self._forget(signature)
        matches = [match for layout in self._layouts if (match := _match(layout, body, maker)) is not None]
        fitting = [match for match in matches if _passes(match.layout, match.registers, time, title)]
        own = [match for match in fitting if match.layout.is_own]
        if len(own or fitting) != 1:
            return None
        (match,) = own or fitting
        if len(self._chosen) < _MAX_REMEMBERED:
            self._chosen[signature] = match.layout
        return match

    def is_still_valid(
        self, chosen: Layout, registers: tuple[Register, ...], *, time: MeterTime | None, title: bytes
    ) -> bool:
        """Whether a layout that fitted before still counts: False with the third list in a row that contradicts it."""
        passes = _passes(chosen, registers, time, title)
        count = 0 if passes else self._contradictions.get(chosen.name, 0) + 1
        self._contradictions[chosen.name] = count
        return count < _FORGET_AFTER

    def _forget(self, signature: Signature) -> None:
        chosen = self._chosen.pop(signature)
        self._contradictions.pop(chosen.name, None)


@lru_cache(maxsize=1)
def built_in() -> tuple[Layout, ...]:
    """The layouts that come with the program."""
    # importlib.resources would import tempfile and zipfile: 1 MB
    text = get_data(__name__, "layouts.toml")
    assert text is not None
    return parse(text.decode())


def parse(text: str, *, is_own: bool = False) -> tuple[Layout, ...]:
    """The layouts of a TOML text. Raises LayoutError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LayoutError(f"is not TOML: {error}") from None
    rows = table.pop("layout", [])
    if table or not isinstance(rows, list) or not rows:
        raise LayoutError(f"has no [[layout]] or something else beside it: {', '.join(table) or 'nothing'}")
    return tuple(_layout(row, place, is_own=is_own) for place, row in enumerate(rows, 1))


def _layout(row: Any, place: int, *, is_own: bool) -> Layout:
    where = f"has a mistake in layout {place}"
    if not isinstance(row, dict) or not row.keys() >= set(_REQUIRED) or not row.keys() <= _KEYS:
        raise LayoutError(
            f"{where}: it needs {', '.join(_REQUIRED)} and may have {', '.join(sorted(_KEYS - {*_REQUIRED}))}"
        )
    texts = {key: row.get(key, "") for key in ("name", "operator", "source")}
    lists = {key: row.get(key, []) for key in ("elements", "makers", "checks")}
    where = f"{where} ({texts['name']})"
    members = [(key, member) for key, value in lists.items() for member in _members(key, value, where)]
    for key, value in (*texts.items(), *members):
        if not isinstance(value, str):
            raise LayoutError(f"{where}: {key} has {value!r}, expected a text")
    checks = tuple(lists["checks"]) if "checks" in row else tuple(CHECKS)
    if unknown := [check for check in checks if check not in CHECKS]:
        raise LayoutError(f"{where}: '{unknown[0]}' is no check; there are {', '.join(CHECKS)}")
    places = tuple(_place(text, f"{where}, element {index}") for index, text in enumerate(lists["elements"], 1))
    checks = applicable(checks, [place.obis for place in places if place.obis])
    return Layout(**texts, places=places, makers=tuple(lists["makers"]), checks=checks, is_own=is_own)


def _members(key: str, value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise LayoutError(f"{where}: {key} is {value!r}, expected a list")
    return value


def _place(text: str, where: str) -> Place:
    """`1-0:13.7.0 u2 -3`: code or role, type, and perhaps a scaler or =TEXT."""
    what, _, rest = text.partition(" ")
    type_text, _, last = rest.strip().partition(" ")
    types = _TYPE.fullmatch(type_text)
    names = (types["types"] or "o").split("/") if types else [""]
    if any(name not in _TYPES for name in names):
        raise LayoutError(f"{where}: '{type_text}' is no type; there are {', '.join(_TYPES)}, o12, and u2/u4")
    try:
        obis = None if what in ROLES else Obis.parse(what)
    except ValueError as error:
        raise LayoutError(f"{where}: {error}, or one of {', '.join(ROLES)}") from None
    tags = tuple(tag for name in names for tag in _TYPES[name])
    length = int(types["length"]) if types and types["length"] else -1
    place = Place(obis, what if obis is None else "", tags, length)
    if obis is not None and (kind := kind_of(obis)) is not None:
        # the steps of AM550 and IE.x, unless the layout says otherwise
        scale = Scales().of(obis, 0, ISKRA)
        place = replace(place, scaler=scale.scaler if scale else 0, unit=kind[1])
    if last.startswith("="):
        return replace(place, text=last[1:].encode())
    if not last:
        return place
    try:
        return replace(place, scaler=int(last))
    except ValueError:
        raise LayoutError(f"{where}: '{last}' is no scaler; -1 means that the number counts tenths") from None


def _match(layout: Layout, body: Element, maker: str) -> Match | None:
    """What a layout makes of a list of the right number and types of elements."""
    elements = body.items
    if len(elements) != len(layout.places) or (layout.makers and maker and maker not in layout.makers):
        return None
    if not all(map(_has_type, layout.places, elements)):
        return None
    pairs = tuple(zip(layout.places, elements, strict=True))
    named = tuple((place, element) for place, element in pairs if place.obis)
    number = next((element.data for place, element in pairs if place.role == "number"), b"")
    return Match(layout, tuple(_register(*pair) for pair in named), tuple(element for _, element in named), number)


def _has_type(place: Place, element: Element) -> bool:
    return (
        element.tag in place.tags
        and (place.length < 0 or len(element.data) == place.length)
        and (not place.text or element.data == place.text)
    )


def _register(place: Place, element: Element) -> Register:
    value = element.value
    assert place.obis is not None and not isinstance(value, tuple) and value is not None
    if isinstance(value, (bytes, bool)):
        return Register(place.obis, value)
    return Register(place.obis, value, place.scaler, place.unit)


def _passes(layout: Layout, registers: tuple[Register, ...], time: MeterTime | None, title: bytes) -> bool:
    facts = ListFacts(registers, time, title)
    return all(CHECKS[check](facts) for check in layout.checks)
