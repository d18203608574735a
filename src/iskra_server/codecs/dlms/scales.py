"""Units and scalers for lists that send numbers alone.

    all but Kaifa    energy and power in Wh and W, current in 0.01 A
    voltage          0.1 V or whole V, told by the range of the value: mains have 90 to 150 V or 180 to 280 V
    ISKRA            voltage in 0.1 V; power factor in 0.001, frequency in 0.01 Hz
    Kaifa            voltage in 0.1 V, current in 0.001 A
    Kamstrup         power factor in 0.01; energy in 10 Wh in Norway, in Wh in Sweden: the type number tells
    Landis+Gyr       power factor in 0.001

Behind transformers currents have other steps, which the power of the list tells (currents.py). What is not known gets
no scaler, and so makes no register.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from iskra_server.codecs.dlms import currents
from iskra_server.meter.obis import Obis
from iskra_server.meter.units import Unit, unit_named

ISKRA: Final = "ISK"
KAIFA: Final = "KFM"
KAMSTRUP: Final = "KAM"
LANDIS_GYR: Final = "LGZ"

Kind = Literal["energy", "power", "voltage", "current", "frequency", "factor"]

_COUNTER = 8
_INSTANTANEOUS = 7
# group C less 20, 40 or 60 for a phase -> active, reactive, apparent
_ACTIVE = frozenset((1, 2, 15, 16))
_REACTIVE = frozenset((3, 4, 5, 6, 7, 8))
_APPARENT = frozenset((9, 10))
_PHASES = (20, 40, 60)
_ENERGY_UNITS = tuple(map(unit_named, ("Wh", "varh", "VAh")))
_POWER_UNITS = tuple(map(unit_named, ("W", "var", "VA")))
_VOLTAGES, _CURRENTS = frozenset((32, 52, 72)), frozenset((31, 51, 71))
_SINGLE: dict[int, tuple[Kind, Unit | None]] = {
    **dict.fromkeys((32, 52, 72), ("voltage", unit_named("V"))),
    **dict.fromkeys((31, 51, 71, 91), ("current", unit_named("A"))),
    14: ("frequency", unit_named("Hz")),
    **dict.fromkeys((13, 33, 53, 73), ("factor", None)),
}
# 6841121BN243101040, 6861111BN242101040: published with the energies of Norwegian meters
_NORWEGIAN_KAMSTRUP = re.compile(rb"\d{7}BN24\d101040")
# 6841131BN245101092: its energies were ten times too high as those of a Norwegian meter
_SWEDISH_KAMSTRUP = re.compile(rb"\d{7}BN24\d101092")
# what a mains voltage can be, in V
_MAINS = ((90, 150), (180, 280))


class Scale(Struct, frozen=True, gc=False):
    scaler: int
    unit: Unit | None


def kind_of(obis: Obis) -> tuple[Kind, Unit | None] | None:
    """What a code of electricity measures, and its unit; None for what is no measured value."""
    a, _, c, d, _, _ = obis
    if a != 1:
        return None
    if d == _INSTANTANEOUS and c in _SINGLE:
        return _SINGLE[c]
    if d not in (_COUNTER, _INSTANTANEOUS):
        return None
    quantity = next((c - phase for phase in reversed(_PHASES) if phase < c <= phase + 16), c)
    units = _ENERGY_UNITS if d == _COUNTER else _POWER_UNITS
    kind: Kind = "energy" if d == _COUNTER else "power"
    for unit, quantities in zip(units, (_ACTIVE, _REACTIVE, _APPARENT), strict=True):
        if quantity in quantities:
            return kind, unit
    return None


class Scales:
    """The scales of one meter: once found, the scalers of its voltages and currents stay.

    Not `is_settled`: the power of the lists so far was too small to tell the scaler of their currents.
    """

    def __init__(self) -> None:
        self._voltage: int | None = None
        self._current: int | None = None
        self.is_settled = True

    def of(self, obis: Obis, raw: int, maker: str, type_number: bytes = b"") -> Scale | None:
        """The scale of a number that came without one; None where it is not known."""
        found = kind_of(obis)
        if found is None:
            return None
        kind, unit = found
        scaler = self._scaler(kind, raw, maker, type_number)
        return None if scaler is None else Scale(scaler, unit)

    def settle_current(self, values: Mapping[Obis, object], maker: str) -> None:
        """Tell the scaler of currents by the numbers that a list sends without scalers."""
        numbers = {obis[2]: raw for obis, raw in values.items() if isinstance(raw, int) and obis[3] == _INSTANTANEOUS}
        voltage = next((raw for c, raw in numbers.items() if c in _VOLTAGES and raw), 0)
        if maker == ISKRA or self._current is not None or not voltage or _CURRENTS.isdisjoint(numbers):
            return
        step = self._scaler("voltage", voltage, maker, b"")
        if step is not None:
            self._current = currents.scaler(numbers, step, _usual_current(maker))
            self.is_settled = self._current is not None

    def _scaler(self, kind: Kind, raw: int, maker: str, type_number: bytes) -> int | None:
        match kind:
            case "energy":
                return kamstrup_energy(type_number) if maker == KAMSTRUP else 0
            case "power":
                return 0
            case "current":
                return _usual_current(maker) if self._current is None else self._current
            case "voltage":
                return -1 if maker in (ISKRA, KAIFA) else self._voltage_scaler(raw)
            case "frequency":
                return -2 if maker == ISKRA else None
            case "factor":
                return {ISKRA: -3, LANDIS_GYR: -3, KAMSTRUP: -2}.get(maker)

    def _voltage_scaler(self, raw: int) -> int | None:
        if self._voltage is None:
            self._voltage = next((scaler for scaler in (0, -1) if is_mains_voltage(raw, scaler)), None)
        # a phase without voltage says nothing of the scaler, but is 0 V with any
        return 0 if raw == 0 and self._voltage is None else self._voltage


def _usual_current(maker: str) -> int:
    return -3 if maker == KAIFA else -2


def is_mains_voltage(raw: int, scaler: int) -> bool:
    """Whether a number can be the voltage of a phase that has voltage."""
    step: int = 10**-scaler
    return any(low * step <= raw <= high * step for low, high in _MAINS)


def kamstrup_energy(type_number: bytes) -> int | None:
    """The scaler of energies: Norwegian types count 10 Wh, Swedish ones and lists without a type number Wh."""
    if not type_number or _SWEDISH_KAMSTRUP.fullmatch(type_number):
        return 0
    # of other types nobody knows
    return 1 if _NORWEGIAN_KAMSTRUP.fullmatch(type_number) else None
