"""The transformer factor: a meter behind transformers counts only a part, such as a fortieth, of what flows.

Energies and powers are multiplied exactly and marked (`derived`); voltages and currents stay as the meter sends them,
because the factor does not tell which of the two is transformed. Everything behind, the guard too, gets primary values.
"""

from decimal import Decimal
from functools import lru_cache

from msgspec.structs import replace

from iskra_server.meter.reading import Reading, Register
from iskra_server.meter.units import unit_named

_MULTIPLIED = frozenset(map(unit_named, ("W", "var", "VA", "Wh", "varh", "VAh")))
_ELECTRICITY = 1
_MARK = "factor"


def exact_factor(value: float) -> Decimal:
    """The number in the configuration, such as 12.5 or 40: a float prints the digits that it was read from."""
    factor = Decimal(str(value)).normalize()
    return factor.quantize(Decimal(1)) if factor == factor.to_integral_value() else factor


def apply_factor(reading: Reading, factor: Decimal) -> Reading:
    """The reading in primary values; the same object where nothing changes. Sub-meters have no factor."""
    if factor == 1 or reading.channel:
        return reading
    return replace(reading, registers=tuple(_multiplied(register, factor) for register in reading.registers))


def is_sent(register: Register) -> bool:
    """Whether the meter itself sends this register, multiplied or not."""
    return not register.derived or register.derived.startswith(_MARK)


def sent_scaler(register: Register, factor: Decimal) -> int:
    """The scaler as the meter sent it: 12.5 = 125 x 10^-1 makes that of whole kWh 2."""
    return (register.scaler or 0) - (_exponent(factor) if _MARK in register.derived else 0)


# asked for each counter of each telegram
@lru_cache(maxsize=64)
def step_of(factor: Decimal) -> int:
    """What one step of the meter's counter is in steps of the multiplied one: 40, or 125 for 12.5."""
    _, digits, _ = factor.as_tuple()
    return int("".join(map(str, digits)))


def _multiplied(register: Register, factor: Decimal) -> Register:
    raw = register.raw
    if isinstance(raw, (bytes, bool)) or register.unit not in _MULTIPLIED or register.obis[0] != _ELECTRICITY:
        return register
    text = f"{_MARK} {factor:f}"
    derived = f"{register.derived}, {text}" if register.derived else text
    return replace(
        register, raw=raw * step_of(factor), scaler=(register.scaler or 0) + _exponent(factor), derived=derived
    )


def _exponent(factor: Decimal) -> int:
    exponent = factor.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent
