"""The scaler of currents that a list sends without one, computed from its power.

Meters behind current transformers count in steps of their own: an E570 in A, a Kamstrup in 0.001 A instead of the usual
0.01 A. Voltage times current of all phases is at least the power of the list, within a factor of three. It may be more,
because import and export of the phases cancel out; but more than 200 A in a phase needs transformers, and power.
"""

from collections.abc import Mapping
from math import hypot, log10

_SCALERS = (-3, -2, -1, 0)
_PHASES = (20, 40, 60)
_FACTOR = 3
# less power, in W, is too little to compute it
_MIN_POWER = 230
_MAX_DIRECT_CURRENT = 200


def scaler(numbers: Mapping[int, int], voltage_scaler: int, usual: int) -> int | None:
    """The scaler, None if the power is too small for that. `numbers` are instantaneous values by group C, W and var."""
    volts, currents = ([numbers.get(phase + c, 0) for phase in _PHASES] for c in (12, 11))
    product = sum(volt * current for volt, current in zip(volts, currents, strict=True)) * 10.0**voltage_scaler
    power = hypot(_power(numbers, 1, 2), _power(numbers, 3, 4))
    if not product or power < _MIN_POWER:
        return None
    usual_power = product * 10.0**usual
    has_transformers = max(currents) * 10.0**usual > _MAX_DIRECT_CURRENT
    if power <= _FACTOR * usual_power and not (has_transformers and usual_power > _FACTOR * power):
        return usual
    return min(_SCALERS, key=lambda each: abs(log10(product * 10.0**each / power)))


def _power(numbers: Mapping[int, int], imported: int, exported: int) -> int:
    """Import less export: of the total, or the sum of the phases if that is more."""
    total, *phases = (
        abs(numbers.get(phase + imported, 0) - numbers.get(phase + exported, 0)) for phase in (0, *_PHASES)
    )
    return max(total, sum(phases))
