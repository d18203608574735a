"""What Shelly energy meters of the second generation measure, as their results show it.

every number        has a decimal point; a power is never exactly 0: Marstek's B2500 misreads a whole number
phases              as the meter sends them; otherwise the whole power on A and nothing on B and C. It is never split
                    by three: Marstek's Venus finds its own phase by changing its power
voltage, current,   as the meter sends them; otherwise, unless `typical` is False (null), 230 V, 50 Hz, and what the
frequency           power makes of them at a power factor of 1
energies            Wh, those of the meter, on A: it counts the sum of its phases, which a Shelly does not
"""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Raw

from iskra_server.outputs.emulation.grid import GridReading

VOLTAGE_V, FREQUENCY_HZ = Decimal(230), Decimal(50)
# how 0 W is shown
_ZERO_W = "0.001"
_NOTHING = Decimal(0)


def em_status(reading: GridReading, *, typical: bool) -> dict[str, object]:
    """Of EM.GetStatus: three phases."""
    powers_w = reading.phases_w or (reading.power_w, _NOTHING, _NOTHING)
    phases = [
        _Phase(power_w, voltage_v, current_a, reading.frequency_hz, typical)
        for power_w, voltage_v, current_a in zip(powers_w, reading.voltages_v, reading.currents_a, strict=True)
    ]
    status: dict[str, object] = {"id": 0}
    for letter, phase in zip("abc", phases, strict=True):
        status |= {
            f"{letter}_current": _number(phase.current_a, 3),
            f"{letter}_voltage": _number(phase.voltage_v, 1),
            f"{letter}_act_power": _power(phase.power_w),
            f"{letter}_aprt_power": _number(phase.apparent_va, 2),
            f"{letter}_pf": _number(phase.factor, 2),
            f"{letter}_freq": _number(phase.frequency_hz, 2),
        }
    return status | {
        "n_current": None,
        "total_current": _number(_total(phase.current_a for phase in phases), 3),
        "total_act_power": _power(reading.power_w),
        "total_aprt_power": _number(_total(phase.apparent_va for phase in phases), 2),
        "user_calibrated_phase": (),
    }


def em_data(reading: GridReading) -> dict[str, object]:
    """Of EMData.GetStatus."""
    imported, exported = _energy(reading.import_wh), _energy(reading.export_wh)
    nothing = Raw(b"0.0")
    return {
        "id": 0,
        "a_total_act_energy": imported,
        "a_total_act_ret_energy": exported,
        "b_total_act_energy": nothing,
        "b_total_act_ret_energy": nothing,
        "c_total_act_energy": nothing,
        "c_total_act_ret_energy": nothing,
        "total_act": imported,
        "total_act_ret": exported,
    }


def em1_status(reading: GridReading, *, typical: bool) -> dict[str, object]:
    """Of EM1.GetStatus: one channel, which shows the whole power."""
    current_a = reading.currents_a[0] if reading.phases_w is None else None
    phase = _Phase(reading.power_w, reading.voltages_v[0], current_a, reading.frequency_hz, typical)
    return {
        "id": 0,
        "current": _number(phase.current_a, 3),
        "voltage": _number(phase.voltage_v, 1),
        "act_power": _power(phase.power_w),
        "aprt_power": _number(phase.apparent_va, 2),
        "pf": _number(phase.factor, 2),
        "freq": _number(phase.frequency_hz, 2),
        "calibration": "factory",
    }


def em1_data(reading: GridReading) -> dict[str, object]:
    """Of EM1Data.GetStatus."""
    return {
        "id": 0,
        "total_act_energy": _energy(reading.import_wh),
        "total_act_ret_energy": _energy(reading.export_wh),
    }


class _Phase:
    """One phase; what is neither measured nor filled in is None."""

    def __init__(
        self,
        power_w: Decimal,
        voltage_v: Decimal | None,
        current_a: Decimal | None,
        frequency_hz: Decimal | None,
        typical: bool,
    ) -> None:
        if typical:
            voltage_v = VOLTAGE_V if voltage_v is None else voltage_v
            frequency_hz = FREQUENCY_HZ if frequency_hz is None else frequency_hz
            if current_a is None:
                current_a = abs(power_w) / (voltage_v or VOLTAGE_V)
        self.power_w = power_w
        self.voltage_v = voltage_v
        self.current_a = current_a
        self.frequency_hz = frequency_hz
        self.apparent_va = self.factor = None
        if voltage_v is not None and current_a is not None:
            # never below the power: a battery is shown its share of it, and the meter rounds its current
            self.apparent_va = max(abs(voltage_v * current_a), abs(power_w))
            self.factor = abs(power_w) / self.apparent_va if self.apparent_va else Decimal(1)


def _total(values: Iterable[Decimal | None]) -> Decimal | None:
    known = list(values)
    return None if None in known else sum(filter(None, known), _NOTHING)


def _power(power_w: Decimal) -> Raw:
    shown = f"{power_w:.2f}"
    return Raw((shown if Decimal(shown) else _ZERO_W).encode())


def _number(value: Decimal | None, decimals: int) -> Raw | None:
    return None if value is None else Raw(f"{value:.{decimals}f}".encode())


def _energy(value_wh: Decimal | None) -> Raw | None:
    """With every digit that the meter sends."""
    if value_wh is None:
        return None
    shown = f"{value_wh:f}"
    return Raw((shown if "." in shown else f"{shown}.0").encode())
