"""Parses numbers of a line exactly: 3432.827*kWh is 3432827 Wh, 16.85*kWh 1685 x 10^1 Wh, 230.1*V 2301 x 10^-1 V."""

import re

from msgspec import Struct

from iskra_server.meter.units import NO_UNIT, WATT, WATT_HOUR, Unit, unit_named

# unit in a line -> DLMS unit, and the power of ten to convert
_UNITS: dict[str, tuple[Unit, int]] = {
    "Wh": (WATT_HOUR, 0),
    "kWh": (WATT_HOUR, 3),
    "MWh": (WATT_HOUR, 6),
    "W": (WATT, 0),
    "kW": (WATT, 3),
    "MW": (WATT, 6),
    "varh": (unit_named("varh"), 0),
    "kvarh": (unit_named("varh"), 3),
    "var": (unit_named("var"), 0),
    "kvar": (unit_named("var"), 3),
    "VAh": (unit_named("VAh"), 0),
    "kVAh": (unit_named("VAh"), 3),
    "VA": (unit_named("VA"), 0),
    "kVA": (unit_named("VA"), 3),
    "V": (unit_named("V"), 0),
    "A": (unit_named("A"), 0),
    "mA": (unit_named("A"), -3),
    "Hz": (unit_named("Hz"), 0),
    "deg": (unit_named("°"), 0),
    "cos": (NO_UNIT, 0),
    "%": (unit_named("%"), 0),
    "h": (unit_named("h"), 0),
    "min": (unit_named("min"), 0),
    "s": (unit_named("s"), 0),
    "m3": (unit_named("m³"), 0),
    "m3ph": (unit_named("m³/h"), 0),
    "dm3": (unit_named("l"), 0),
    "C": (unit_named("°C"), 0),
    "MJ": (unit_named("J"), 6),
    "GJ": (unit_named("J"), 9),
}
# meters write both kVArh and kvarh; of two units that differ by case alone the first in the table wins
_ANY_CASE = {name.lower(): _UNITS[name] for name in reversed(_UNITS)}
_NUMBER = re.compile(r" *([+-]?)(\d*)(?:\.(\d+))?(?:(?: *\*| +)(\S+))? *", re.ASCII)
KILO = 3
# value and unit (IEC 62056-21, 6.5: 32 and 16 characters), and blanks
_LONGEST = 64
# more digits than any counter has
MAX_DIGITS = 15


class Number(Struct, frozen=True, gc=False):
    """raw x 10^scaler in `unit`, which is None if none was sent; `digits` counts those before and after the point."""

    raw: int
    scaler: int
    unit: Unit | None
    digits: tuple[int, int]


def number(content: str) -> Number | None:
    """The number in a content; None for text and for an unknown unit."""
    # longer contents are text; blanks in them would cost quadratic time
    form = _NUMBER.fullmatch(content) if len(content) <= _LONGEST else None
    if form is None:
        return None
    sign, before, behind, name = form.groups()
    digits = before + (behind or "")
    if not 0 < len(digits) <= MAX_DIGITS:
        return None
    unit, power = (None, 0) if name is None else _named(name)
    if name and unit is None:
        return None
    raw = int(digits)
    return Number(-raw if sign == "-" else raw, power - len(behind or ""), unit, (len(before), len(behind or "")))


def _named(name: str) -> tuple[Unit | None, int]:
    return _UNITS.get(name) or _ANY_CASE.get(name.lower()) or (None, 0)
