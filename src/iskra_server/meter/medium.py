"""What a meter measures: electricity, or as a sub-meter gas, water or heat.

A sub-meter on the M-Bus of another meter has a device type (24.1.0, EN 13757-3); a meter that sends itself is known by
group A of its codes.
"""

from typing import Literal

from iskra_server.meter.reading import Reading

Medium = Literal["electricity", "gas", "water", "heat", "cooling", "other"]

_OF_TYPE: dict[int, Medium] = {
    2: "electricity",
    3: "gas",
    4: "heat",
    6: "water",
    7: "water",
    10: "cooling",
    11: "cooling",
    12: "heat",
    13: "heat",
    21: "water",
    22: "water",
}
_OF_GROUP_A: dict[int, Medium] = {1: "electricity", 5: "cooling", 6: "heat", 7: "gas", 8: "water", 9: "water"}
_DEVICE, _TYPE = 24, 1


def medium(reading: Reading) -> Medium:
    """Electricity where a meter of its own shows nothing else, "other" for a sub-meter of an unknown type."""
    groups = {register.obis[0] for register in reading.registers}
    if reading.channel:
        return _OF_TYPE.get(_type(reading), _OF_GROUP_A.get(max(groups, default=0), "other"))
    found = [_OF_GROUP_A[group] for group in groups if group in _OF_GROUP_A]
    return found[0] if len(found) == 1 else "electricity"


def is_electricity(reading: Reading) -> bool:
    """Whether a reading is that of an electricity meter of its own."""
    return reading.channel == 0 and medium(reading) == "electricity"


def _type(reading: Reading) -> int:
    """The M-Bus device type, 0 where none is sent."""
    texts = (register.text or "" for register in reading.registers if register.obis[2:4] == bytes((_DEVICE, _TYPE)))
    return next((int(text) for text in texts if text.isdecimal()), 0)
