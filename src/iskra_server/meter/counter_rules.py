"""Counters, and what they cannot do: be below 0, decrease, or increase faster than the rating of the meter allows.

No counter shows more than its meter can have counted from 0 within `LIFETIME_S`.
"""

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from math import ceil, inf

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Register, Sample, on_one_scale, seconds_between
from iskra_server.meter.registers import describe
from iskra_server.meter.transformer_factor import step_of
from iskra_server.meter.units import ENERGIES, WATT_HOUR

# telegrams may arrive in a burst behind a slow line
SLACK_S = 10
# of one meter: a D0 readout has 340 codes with its history. Damaged or hostile codes make the oldest ones forgotten
MAX_COUNTERS = 512
# no electronic meter is older: the first ones are from the 1990s, and verification lasts 8 years (Germany). 69 kW make
# 30 GWh meanwhile; the display of a household's meter ends at 1 GWh
LIFETIME_S = 50 * 8766 * 3600
# each part of a sum of tariffs may have lost a fraction of a coarse step
_MAX_PARTS = 8
_COUNTER = 8
# group A of codes
_ELECTRICITY = 1
# C groups of net sums (import - export), which may decrease
_NET = frozenset((16, 36, 56, 76))
_HOUR_S = 3600


class SeenCounter(Struct, frozen=True, gc=False):
    """A counter and its telegram: `sample`, without its registers, has the time.

    `interval_s` is the time between the last two weakly protected telegrams with it.
    """

    register: Register
    sample: Sample
    interval_s: float = 0.0


Counters = dict[Obis, SeenCounter]


class Violation(Struct, frozen=True):
    """How a counter violates the rule: below 0, decreased, or increased too much within `seconds`.

    Within LIFETIME_S it has a value that no meter of this rating can reach.
    """

    register: Register
    last: Register
    seconds: float
    is_decrease: bool

    @property
    def is_negative(self) -> bool:
        return int(self.register.raw) < 0

    @property
    def is_impossible(self) -> bool:
        """Whether the value itself is wrong, whatever the counter showed before."""
        return self.is_negative or self.is_beyond_rating

    @property
    def is_beyond_rating(self) -> bool:
        return self.seconds == LIFETIME_S

    def __str__(self) -> str:
        if self.is_negative:
            return f"{self.register.obis.short} is below 0: {self.register.value}"
        if self.is_decrease:
            return f"{self.register.obis.short} went back from {self.last.value} to {self.register.value}"
        if self.is_beyond_rating:
            return (
                f"{self.register.obis.short} is more than the connection can carry in 50 years: {self.register.value}"
            )
        return (
            f"{self.register.obis.short} jumped from {self.last.value} to {self.register.value} "
            f"within {self.seconds:.0f} s"
        )


def is_counter(register: Register) -> bool:
    """Whether a register may only increase: by the register table, else by its code (D = 8, and no net sum)."""
    if isinstance(register.raw, (bytes, bool)):
        return False
    row = describe(register.obis)
    return row.is_counter if row else register.obis[3] == _COUNTER and register.obis[2] not in _NET


def is_energy_counter(register: Register) -> bool:
    """Whether a register counts Wh of electricity: what history keeps and sends on (not var h, nor heat)."""
    return register.unit == WATT_HOUR and register.obis[0] == _ELECTRICITY and is_counter(register)


def counters_of(sample: Sample) -> Counters:
    registers = tuple(_counters(sample.reading.registers))
    # a counter that was sent once is kept; without the other registers of its telegram
    moment = replace(sample, reading=replace(sample.reading, registers=(), widths=b""), earlier=())
    return {register.obis: SeenCounter(register, moment) for register in registers}


def joined(counters: Counters, newer: Counters) -> Counters:
    """Both, `newer` first where both have a counter; of more than MAX_COUNTERS the newest ones."""
    both = counters | newer
    if len(both) > MAX_COUNTERS:
        newest = sorted(both.items(), key=lambda item: item[1].sample.monotonic_s)[-MAX_COUNTERS:]
        return dict(newest)
    return both


def impossible_counters(reading: Reading, max_power_w: int) -> dict[Obis, Violation]:
    """The counters that no meter of this connection can show, however often they come."""
    found = {}
    for register in _counters(reading.registers):
        if int(register.raw) < 0:
            found[register.obis] = Violation(register, replace(register, raw=0), 0.0, is_decrease=True)
        elif register.unit in ENERGIES and int(register.raw) > _energy_of_life(max_power_w, register.scaler or 0):
            found[register.obis] = Violation(register, replace(register, raw=0), LIFETIME_S, is_decrease=False)
    return found


def violation(counters: Counters, sample: Sample, max_power_w: int, *, tolerated_s: int = 0) -> Violation | None:
    """Why a sample is inconsistent with counters of earlier telegrams, or None.

    An energy may be lower by what `max_power_w` makes in `tolerated_s`.
    """
    for register in _counters(sample.reading.registers):
        seen = counters.get(register.obis)
        if seen is None:
            continue
        last = seen.register
        value, before, scaler = on_one_scale(register, last)
        tolerated = _energy(max_power_w, tolerated_s, scaler) if register.unit in ENERGIES else 0
        if value + _resolution(register, last, sample.factor) + tolerated <= before:
            return Violation(register, last, 0.0, is_decrease=True)
        if value > before:
            seconds = seconds_between(seen.sample, sample)
            limit = _max_increase(register, last, seconds, max_power_w, step_of(sample.factor))
            if limit is not None and value > before + limit:
                return Violation(register, last, seconds, is_decrease=False)
    return None


def is_lower(register: Register, than: Register) -> bool:
    value, limit, _ = on_one_scale(register, than)
    return value < limit


def never_lower(counters: Counters, register: Register) -> Register:
    """The register; with its earlier value where that is higher, or as high and finer."""
    seen = counters.get(register.obis)
    if seen is None or not is_counter(register):
        return register
    last = seen.register
    value, before, _ = on_one_scale(register, last)
    is_coarser = (register.scaler or 0) > (last.scaler or 0)
    is_behind = value < before or (value == before and is_coarser)
    return replace(register, raw=last.raw, scaler=last.scaler) if is_behind else register


def _counters(registers: Iterable[Register]) -> Iterable[Register]:
    return (register for register in registers if is_counter(register))


def _resolution(register: Register, last: Register, factor: Decimal) -> int:
    """By how many steps of the finer scale a value may be lower without having decreased.

    A locked meter truncates, another list rounds, and the parts of a sum are each rounded alone. Between two values of
    one form and scale it is 1: any decrease counts.
    """
    step: int = 10 ** abs((register.scaler or 0) - (last.scaler or 0))
    is_same_form = register.derived == last.derived
    if step == 1 and is_same_form:
        return 1
    is_sum = bool(register.derived) or not is_same_form
    return step * step_of(factor) * (_MAX_PARTS if is_sum else 1)


def _max_increase(register: Register, last: Register, seconds: float, max_power_w: int, step: int) -> int | None:
    """The maximum increase of energy, in steps of the finer scale, plus `step` steps of the coarser scale."""
    if register.unit not in ENERGIES or seconds == inf:
        return None
    scalers = (register.scaler or 0, last.scaler or 0)
    return _energy(max_power_w, seconds + SLACK_S, min(scalers)) + step * int(10 ** (max(scalers) - min(scalers)))


@lru_cache(maxsize=64)
def _energy_of_life(max_power_w: int, scaler: int) -> int:
    return _energy(max_power_w, LIFETIME_S, scaler)


def _energy(power_w: int, seconds: float, scaler: int) -> int:
    """What a power makes, in steps of 10^scaler Wh."""
    return int(Decimal(ceil(power_w * seconds / _HOUR_S)).scaleb(-scaler))
