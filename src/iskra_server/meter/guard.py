"""The guard keeps the promises on counters (DESIGN.md, truth contract 2 and 3):

- a counter is never below 0, never goes back, and never jumps further than the meter's rating could carry it since
  that counter was last published;
- a telegram that breaks this is held back. Telegrams that agree with each other for AGREEING_S and that are at least
  AGREEING_TELEGRAMS are the new truth, and a new epoch begins (a replaced register, a reset). A telegram that fits what
  was published before ends the wait: nothing was published meanwhile, and the epoch stays;
- when a meter locks, it falls back to whole kWh: the last fine value stands until the coarse one has passed it.

A meter with another server id is another meter and has counters of its own. Counters are compared as integers.
"""

from collections.abc import Iterable
from decimal import Decimal
from math import ceil, inf

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register, Sample, on_one_scale, seconds_between
from iskra_server.meter.registers import describe
from iskra_server.meter.units import ENERGIES, WATT_HOUR

# 3 x 100 A x 230 V: the largest meter that is connected directly
MAX_POWER_W = 69_000
AGREEING_TELEGRAMS = 3
# a meter that restarts or computes wrongly sends zeros for seconds; a reset lasts
AGREEING_S = 300.0
# telegrams may arrive in a burst behind a slow line
SLACK_S = 10
# a sum of tariffs has lost as many fractions of a coarse step as it has parts
_MAX_PARTS = 8
_COUNTER = 8
# C groups of net sums (import - export), which may rise and fall
_NET = frozenset((16, 36, 56, 76))
_HOUR_S = 3600


class Seen(Struct, frozen=True, gc=False):
    """A counter as last published; `sample`, without its registers, says when that was."""

    register: Register
    sample: Sample


Counters = dict[Obis, Seen]


class Violation(Struct, frozen=True):
    """How a counter broke the rule: it is below 0, went back, or jumped within so many seconds."""

    register: Register
    last: Register
    seconds: float
    is_decrease: bool

    @property
    def is_negative(self) -> bool:
        return int(self.register.raw) < 0

    def __str__(self) -> str:
        if self.is_negative:
            return f"{self.register.obis.short} is below 0: {self.register.value}"
        if self.is_decrease:
            return f"{self.register.obis.short} went back from {self.last.value} to {self.register.value}"
        return (
            f"{self.register.obis.short} jumped from {self.last.value} to {self.register.value} "
            f"within {self.seconds:.0f} s"
        )


class HeldBack(Struct, frozen=True):
    """A sample that is not published, and why."""

    sample: Sample
    violation: Violation

    @property
    def reason(self) -> str:
        return str(self.violation)


class _Candidate:
    """A new truth that waits for agreement: the counters that were held back, and since when."""

    def __init__(self, first: Sample) -> None:
        self.since_s = first.monotonic_s
        self.telegrams = 0
        self.counters: Counters = {}

    def add(self, sample: Sample) -> None:
        self.telegrams += 1
        self.counters |= _seen(sample)

    def is_truth(self, now_s: float) -> bool:
        return self.telegrams >= AGREEING_TELEGRAMS and now_s - self.since_s >= AGREEING_S


class _Meter:
    """What is known of one meter: its last published counters, and what was held back since."""

    def __init__(self) -> None:
        self.trusted: Counters = {}
        self.epoch = 0
        self.candidate: _Candidate | None = None


class Guard:
    """One for all meters; `held_back` counts the samples that were not published, by meter id."""

    def __init__(self) -> None:
        self.held_back: dict[str, int] = {}
        self._meters: dict[str, _Meter] = {}

    def remember(self, sample: Sample) -> None:
        """What was published before this process began: counters never go back behind it.

        How long ago that was is not known for sure, as a small computer may have no clock; so any jump is plausible.
        Of a meter that is read already, each counter stands that is further: history may open late, or be an old one.
        A meter that has begun a new epoch since is behind that.
        """
        meter = self._meters.setdefault(sample.reading.meter_id, _Meter())
        if sample.epoch < meter.epoch:
            return
        meter.epoch = sample.epoch
        for obis, seen in _seen(replace(sample, monotonic_s=-inf)).items():
            last = meter.trusted.get(obis)
            if last is None or _is_behind(last.register, seen.register):
                meter.trusted[obis] = seen

    def admit(self, sample: Sample, max_power_w: int = MAX_POWER_W) -> Sample | HeldBack:
        """The sample as it may be published, or held back with the reason."""
        meter = self._meters.setdefault(sample.reading.meter_id, _Meter())
        violation = _violation(meter.trusted, sample, max_power_w)
        if violation is None:
            meter.candidate = None
            return self._publish(meter, sample)
        if not self._is_new_truth(meter, sample, max_power_w):
            self.held_back[sample.reading.meter_id] = self.held_back.get(sample.reading.meter_id, 0) + 1
            return HeldBack(sample, violation)
        meter.candidate = None
        meter.trusted.clear()
        meter.epoch += 1
        return self._publish(meter, sample)

    def knows(self, meter_id: str) -> bool:
        """Whether a reading of this meter was published, by this process or one before it."""
        meter = self._meters.get(meter_id)
        return meter is not None and bool(meter.trusted)

    def _is_new_truth(self, meter: _Meter, sample: Sample, max_power_w: int) -> bool:
        """Whether telegrams that were held back agree with this one, often and long enough."""
        candidate = meter.candidate
        violation = _violation(candidate.counters, sample, max_power_w) if candidate else None
        if candidate is None or violation is not None:
            candidate = meter.candidate = _Candidate(sample)
            if _violation({}, sample, max_power_w) is not None:
                # below 0: however often it comes
                meter.candidate = None
                return False
        candidate.add(sample)
        return candidate.is_truth(sample.monotonic_s)

    def _publish(self, meter: _Meter, sample: Sample) -> Sample:
        registers = tuple(_never_coarser(meter.trusted, register) for register in sample.reading.registers)
        holds_fine = registers != sample.reading.registers
        if holds_fine or meter.epoch:
            reading = replace(sample.reading, registers=registers)
            sample = replace(sample, reading=reading, epoch=meter.epoch, holds_fine=holds_fine)
        meter.trusted |= _seen(sample)
        return sample


def is_counter(register: Register) -> bool:
    """Whether a register may only grow: by the register table, else by its code (D = 8, and no net sum)."""
    if isinstance(register.raw, (bytes, bool)):
        return False
    row = describe(register.obis)
    return row.is_counter if row else register.obis[3] == _COUNTER and register.obis[2] not in _NET


def is_energy_counter(register: Register) -> bool:
    """Whether a register counts Wh: what history keeps and sends on (var h and VA h are counters too)."""
    return register.unit == WATT_HOUR and is_counter(register)


def _counters(registers: Iterable[Register]) -> Iterable[Register]:
    return (register for register in registers if is_counter(register))


def _seen(sample: Sample) -> Counters:
    registers = tuple(_counters(sample.reading.registers))
    # a counter that comes once is kept for ever, but not the registers that came with it
    moment = replace(sample, reading=replace(sample.reading, registers=(), widths=b""))
    return {register.obis: Seen(register, moment) for register in registers}


def _violation(trusted: Counters, sample: Sample, max_power_w: int) -> Violation | None:
    """Why a sample cannot follow the trusted counters, or None."""
    for register in _counters(sample.reading.registers):
        if int(register.raw) < 0:
            return Violation(register, replace(register, raw=0), 0.0, is_decrease=True)
        seen = trusted.get(register.obis)
        if seen is None:
            continue
        last = seen.register
        value, before, _ = on_one_scale(register, last)
        if value + _resolution(register, last) <= before:
            return Violation(register, last, 0.0, is_decrease=True)
        if value > before:
            seconds = seconds_between(seen.sample, sample)
            limit = _reach(register, last, seconds, max_power_w)
            if limit is not None and value > before + limit:
                return Violation(register, last, seconds, is_decrease=False)
    return None


def _resolution(register: Register, last: Register) -> int:
    """How many steps of the finer scale a coarser value may lie below a finer one: a locked meter cuts digits off."""
    coarser = (register.scaler or 0) - (last.scaler or 0)
    return 10**coarser * (_MAX_PARTS if register.derived else 1) if coarser > 0 else 1


def _is_behind(register: Register, other: Register) -> bool:
    value, far, _ = on_one_scale(register, other)
    return value < far


def _reach(register: Register, last: Register, seconds: float, max_power_w: int) -> int | None:
    """How far energy can have grown, in steps of the finer scale, one step of the coarser scale added."""
    if register.unit not in ENERGIES or seconds == inf:
        return None
    scalers = (register.scaler or 0, last.scaler or 0)
    reach_wh = ceil(max_power_w * (seconds + SLACK_S) / _HOUR_S)
    return int(Decimal(reach_wh).scaleb(-min(scalers))) + int(10 ** (max(scalers) - min(scalers)))


def _never_coarser(trusted: Counters, register: Register) -> Register:
    """The register; or, with its last fine value, where the meter has locked and the coarse value lies below."""
    seen = trusted.get(register.obis)
    if seen is None or (register.scaler or 0) <= (seen.register.scaler or 0) or not is_counter(register):
        return register
    last = seen.register
    value, before, _ = on_one_scale(register, last)
    return replace(register, raw=last.raw, scaler=last.scaler) if value <= before else register
