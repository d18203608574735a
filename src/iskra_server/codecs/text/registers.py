"""Converts data sets to registers.

A content is a number if it has a known unit; without a unit if the register table says that the register has none, or
if the caller may assume kWh. All other contents are text. Of several contents the one with a unit is the value, and a
timestamp among the others is its time; with two units the register is text, because it is unknown which one counts.
Lists and logs (C = 98, 99) are text. An error text of the meter ("object not readable") gives no register.
"""

import re

from iskra_server.codecs.text.numbers import KILO, Number, number
from iskra_server.codecs.text.times import moment
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import MeterTime, Register
from iskra_server.meter.registers import describe
from iskra_server.meter.units import WATT_HOUR

_LISTS = frozenset((98, 99))
_ENERGY_CODES = frozenset(((1, 8), (2, 8)))
_ERROR = re.compile(r"\(?ER(?:ROR|_\w*|\d+)\)?", re.ASCII)
_NOTHING = re.compile(r"[ .-]*")


def register(obis: Obis, contents: tuple[str, ...], *, assumes_kwh: bool = False) -> Register | None:
    """The register of a data set, None for an error text. `assumes_kwh`: 1.8.x and 2.8.x without a unit are in kWh."""
    if len(contents) == 1:
        content = contents[0]
        if _NOTHING.fullmatch(content):
            return Register(obis, b"")
        if _ERROR.fullmatch(content):
            return None
    elif all(map(_ERROR.fullmatch, contents)):
        return None
    value = None if obis[2] in _LISTS else _value(obis, contents, assumes_kwh=assumes_kwh)
    if value is None:
        return Register(obis, text(contents))
    measured, time = value
    return Register(obis, measured.raw, measured.scaler, measured.unit, None, time)


def text(contents: tuple[str, ...]) -> bytes:
    """The contents as sent; a single one without its parentheses."""
    whole = contents[0] if len(contents) == 1 else "".join(f"({content})" for content in contents)
    return whole.encode("latin-1")


def _value(obis: Obis, contents: tuple[str, ...], *, assumes_kwh: bool) -> tuple[Number, MeterTime | None] | None:
    numbers = [(index, value) for index, content in enumerate(contents) if (value := number(content))]
    united = [(index, value) for index, value in numbers if value.unit is not None]
    if len(united) > 1:
        return None
    if united:
        index, value = united[0]
    elif numbers and numbers[0][0] == 0:
        index, bare = numbers[0]
        if (value_without_unit := _without_unit(obis, bare, assumes_kwh=assumes_kwh)) is None:
            return None
        value = value_without_unit
    else:
        return None
    others = (content for place, content in enumerate(contents) if place != index)
    return value, next((time for content in others if (time := moment(content))), None)


def _without_unit(obis: Obis, bare: Number, *, assumes_kwh: bool) -> Number | None:
    """A number without a unit: unchanged if the register has none, in kWh by convention, else None."""
    row = describe(obis)
    if row and row.unit is None and row.state_class:
        return bare
    if obis[0] == 1 and (obis[2], obis[3]) in _ENERGY_CODES and (assumes_kwh or bare.digits[1]):
        return Number(bare.raw, bare.scaler + KILO, WATT_HOUR, bare.digits)
    return None
