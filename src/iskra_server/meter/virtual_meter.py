"""A virtual meter: the sum and difference of others, such as a heat pump between two meters of a cascade.

    grid ---[Z1]---+---[Z2]--- household, solar        heat pump = Z1 - Z2, signed, at every moment
                   |
               heat pump

Its live values are those of its parts at about the same time, each at most `stale_after_s` old. Its energy is computed
from their counters at the same quarter-hours (history/store/virtual_counter.py); nothing of it is stored.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.reading import Reading, Register, on_one_scale
from iskra_server.meter.signed_power import PHASES, POWER
from iskra_server.meter.units import WATT, WATT_HOUR

# the protocol of its readings, and their source
VIRTUAL = "virtual"
# what its registers are derived from
DERIVED = "virtual meter"
# parts send every 1 to 2 s
STALE_AFTER_S = 3.0
# of an interval, because it varies: parts that are evenly spread must have a value as well
_TOLERANCE = 0.1


class MeterPart(Struct, frozen=True):
    """A meter that counts with `sign` +1 or -1, as the configuration names it.

    `meter_id` is that of the meter, "" while it is unknown; `port` where it is read.
    """

    name: str
    sign: int
    meter_id: str = ""
    port: str = ""


class VirtualMeter(Struct, frozen=True):
    """`id` is its name."""

    id: str
    parts: tuple[MeterPart, ...]
    stale_after_s: float = STALE_AFTER_S

    @property
    def is_sum(self) -> bool:
        """Whether nothing is subtracted: only then its counters never go back."""
        return all(part.sign > 0 for part in self.parts)


# the virtual meters of the configuration, with the meters that their parts are known to be now
VirtualMeters = Callable[[], Sequence[VirtualMeter]]


def no_virtual_meters() -> Sequence[VirtualMeter]:
    return ()


def is_virtual(reading: Reading) -> bool:
    return reading.protocol == VIRTUAL


def virtual_reading(meter: VirtualMeter, parts: Sequence[Reading]) -> Reading | None:
    """The reading of a virtual meter from those of its parts, in their order; None where one has no power."""
    power = _combined(meter, parts, POWER)
    if power is None:
        return None
    others = (_combined(meter, parts, obis) for obis in (*PHASES, *((IMPORT, EXPORT) if meter.is_sum else ())))
    registers = (power, *(register for register in others if register))
    return Reading(meter.id, meter.id.encode(), registers, None, VIRTUAL, 0)


def _combined(meter: VirtualMeter, parts: Sequence[Reading], obis: Obis) -> Register | None:
    """None unless every part has the register."""
    registers = [reading.get(obis) for reading in parts]
    if any(register is None or register.value is None for register in registers):
        return None
    total = Register(obis, 0, 0, WATT_HOUR if obis in (IMPORT, EXPORT) else WATT, derived=DERIVED)
    for part, register in zip(meter.parts, registers, strict=True):
        if register is not None:
            total = _plus(total, part.sign, register)
    return total


def _plus(total: Register, sign: int, register: Register) -> Register:
    first, second, scaler = on_one_scale(total, register)
    return Register(total.obis, first + sign * second, scaler, total.unit, derived=total.derived)


def belong_together(ages_s: Iterable[float], interval_s: float | None) -> bool:
    """Whether the newest values of all parts belong together; `interval_s` is the usual interval of the oldest one.

    Z1   x           x           x      They do before the longest pause: at z, not at the next x or y, where they are
    Z2     y           y           y    farther apart. Else meters that see the same load at different times would
    Z3       z           z           z  show a power that never was.

    Not as long as that interval is unknown, after one telegram.
    """
    if interval_s is None:
        return False
    falling = sorted((*ages_s, 0.0), reverse=True)
    longest_s = max(older - newer for older, newer in pairwise(falling))
    before_s = interval_s - falling[0]
    return longest_s <= before_s + _TOLERANCE * interval_s
