"""Home Assistant's classes of a register, from its name, shown unit and OBIS code. Pure."""

from __future__ import annotations

import re
from typing import Final

from .model import MeterRegister

_CLASS_OF_UNIT: Final = {
    "kWh": "energy",
    "GJ": "energy",
    "kvarh": "reactive_energy",
    "W": "power",
    "var": "reactive_power",
    "VA": "apparent_power",
    "A": "current",
    "V": "voltage",
    "Hz": "frequency",
}
_CUBIC_METRES: Final = "m³"
_COUNTED: Final = re.compile(r"(?:reactive_|apparent_)?energy_|failures_|voltage_(?:sags|swells)_|mbus\d+_reading")
_NET: Final = "energy_net"
# a maximum or a limit is no measurement of now
_LIMITS: Final = re.compile(r"power_demand_(?:export_)?max|power_limit|fuse_threshold_")
_READING: Final = re.compile(r"mbus\d+_reading")
_CODE: Final = re.compile(r"(?:\d+-\d+:)?(\d+)\.(\d+)\.\d+")
_COUNTER: Final = 8
# net sums of import and export may go down
_NET_CODES: Final = (16, 36, 56, 76)


def device_class(register: MeterRegister, medium: str) -> str | None:
    """None also for what is no number."""
    if not register.is_number:
        return None
    if register.unit == _CUBIC_METRES:
        return medium if medium in ("gas", "water") else None
    if register.name.startswith("power_factor"):
        return "power_factor"
    return _CLASS_OF_UNIT.get(register.unit or "")


def state_class(register: MeterRegister) -> str | None:
    """Counters never go back: the server's guard sees to it, and a replaced meter is another meter."""
    if not register.is_number:
        return None
    if register.name == _NET:
        return "total"
    if _COUNTED.match(register.name):
        return "total_increasing"
    code = _CODE.match(register.name)
    if code and int(code[2]) == _COUNTER:
        return "total" if int(code[1]) in _NET_CODES else "total_increasing"
    is_measured = register.unit is not None or register.name.startswith("power_factor")
    if not is_measured or _LIMITS.match(register.name) or device_class(register, "") == "energy":
        return None
    return "measurement"


def translation_key(register: MeterRegister, *, is_sub_meter: bool) -> str:
    """The counter of a sub-meter is "Meter reading", whatever its channel."""
    return "meter_reading" if is_sub_meter and _READING.fullmatch(register.name) else register.name
