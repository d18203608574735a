"""The guard checks counters before they are published (docs/architecture.md, promises 2 and 3):

- a counter is never below 0, never decreases, and never increases faster than the rating of the meter allows;
- a telegram that violates this is held back. Telegrams that are consistent with each other for AGREEING_S, at least
  AGREEING_TELEGRAMS of them, are accepted and begin a new epoch (a replaced register, a reset). A telegram that is
  consistent with the published values ends the wait, and the epoch stays;
- a meter that locks sends whole kWh only: its last fine value is kept until the coarse value has passed it. So does a
  meter whose lists have different resolutions, and one that is read in two ways;
- a telegram without a checksum or parity (P1 of some meters) needs a second one that agrees where a counter is new, or
  has increased by more than the power that the meter shows.

A meter may send its counters in several lists in turn: each telegram is checked for those that it has, and only one
that has the disputed counter ends the wait. Another server id is another meter with its own counters. Counters are
compared as integers.
"""

from collections.abc import Iterable
from decimal import Decimal
from math import ceil, inf

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.meter.factor import step_of
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Register, Sample, on_one_scale, seconds_between
from iskra_server.meter.registers import describe
from iskra_server.meter.units import ENERGIES, WATT, WATT_HOUR

# 3 x 100 A x 230 V: the largest meter that is connected without transformers
MAX_POWER_W = 69_000
AGREEING_TELEGRAMS = 3
# a meter that restarts or miscalculates sends zeros for seconds; a reset is permanent
AGREEING_S = 300.0
# telegrams may arrive in a burst behind a slow line
SLACK_S = 10
# each part of a sum of tariffs may have lost a fraction of a coarse step
_MAX_PARTS = 8
_COUNTER, _INSTANTANEOUS = 8, 7
# group A of codes
_ELECTRICITY = 1
# a counter that moves on between two telegrams
_FEW_STEPS = 3
# C groups of net sums (import - export), which may decrease
_NET = frozenset((16, 36, 56, 76))
_HOUR_S = 3600


class Published(Struct, frozen=True, gc=False):
    """A counter as last published; `sample`, without its registers, has the time."""

    register: Register
    sample: Sample


Counters = dict[Obis, Published]


class Violation(Struct, frozen=True):
    """How a counter violates the rule: below 0, decreased, or increased too much within `seconds`."""

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
    """A sample that is not published, with the reason; without a violation it waits for a second one that agrees."""

    sample: Sample
    violation: Violation | None

    @property
    def reason(self) -> str:
        return str(self.violation or "a telegram without a checksum needs a second one that agrees")


class _Candidate:
    """Counters that were held back, and since when: accepted once they are consistent long enough."""

    def __init__(self, first: Sample) -> None:
        self.since_s = first.monotonic_s
        self.telegrams = 0
        self.counters: Counters = {}
        self.disputed: set[Obis] = set()

    def add(self, sample: Sample, disputed: Obis) -> None:
        self.telegrams += 1
        self.counters |= _counters_of(sample)
        self.disputed.add(disputed)

    def is_in(self, reading: Reading) -> bool:
        """Whether a telegram has one of the disputed counters."""
        return any(register.obis in self.disputed for register in reading.registers)

    def is_accepted(self, now_s: float) -> bool:
        return self.telegrams >= AGREEING_TELEGRAMS and now_s - self.since_s >= AGREEING_S


class _Meter:
    """One meter: its published counters, and those held back since."""

    def __init__(self) -> None:
        self.published: Counters = {}
        self.epoch = 0
        self.candidate: _Candidate | None = None
        # of telegrams without a checksum that wait for a second one
        self.unconfirmed: Counters = {}


class Guard:
    """One for all meters; `held_back` counts the samples that were not published, by meter id."""

    def __init__(self) -> None:
        self.held_back: dict[str, int] = {}
        self._meters: dict[str, _Meter] = {}

    def remember(self, sample: Sample, at_s: float = -inf) -> None:
        """Add what was published before this process started: counters never go below it.

        `at_s` is when, in boot time; where no clock tells, any increase is plausible. Of a meter that is read already,
        the higher counter is kept: history may open late, or be an old one. A sample of an earlier epoch is ignored.
        """
        meter = self._meters.setdefault(sample.reading.meter_id, _Meter())
        if sample.epoch < meter.epoch:
            return
        meter.epoch = sample.epoch
        for obis, seen in _counters_of(replace(sample, monotonic_s=at_s)).items():
            last = meter.published.get(obis)
            if last is None or _is_lower(last.register, seen.register) or _is_undated(last, seen):
                meter.published[obis] = seen

    def admit(self, sample: Sample, max_power_w: int = MAX_POWER_W) -> Sample | HeldBack:
        """The sample to publish, or HeldBack with the reason."""
        meter = self._meters.setdefault(sample.reading.meter_id, _Meter())
        violation = _violation(meter.published, sample, max_power_w)
        if violation is None:
            if not _is_confirmed(meter, sample, max_power_w):
                return self._hold_back(sample, None)
            if meter.candidate and meter.candidate.is_in(sample.reading):
                meter.candidate = None
            return self._publish(meter, sample)
        if not self._is_new_epoch(meter, sample, violation, max_power_w):
            return self._hold_back(sample, violation)
        meter.candidate = None
        meter.published.clear()
        meter.epoch += 1
        return self._publish(meter, sample)

    def knows(self, meter_id: str) -> bool:
        """Whether a reading of this meter was published before, by this process or an earlier one."""
        meter = self._meters.get(meter_id)
        return meter is not None and bool(meter.published)

    def _hold_back(self, sample: Sample, violation: Violation | None) -> HeldBack:
        meter_id = sample.reading.meter_id
        self.held_back[meter_id] = self.held_back.get(meter_id, 0) + 1
        return HeldBack(sample, violation)

    def _is_new_epoch(self, meter: _Meter, sample: Sample, violation: Violation, max_power_w: int) -> bool:
        """Whether the telegrams held back are consistent with this one, often and long enough."""
        candidate = meter.candidate
        if candidate is None or _violation(candidate.counters, sample, max_power_w) is not None:
            candidate = meter.candidate = _Candidate(sample)
            if _violation({}, sample, max_power_w) is not None:
                # below 0 is never accepted
                meter.candidate = None
                return False
        candidate.add(sample, violation.register.obis)
        return candidate.is_accepted(sample.monotonic_s)

    def _publish(self, meter: _Meter, sample: Sample) -> Sample:
        registers = tuple(_never_lower(meter.published, register) for register in sample.reading.registers)
        holds_fine = registers != sample.reading.registers
        if holds_fine or meter.epoch:
            reading = replace(sample.reading, registers=registers)
            sample = replace(sample, reading=reading, epoch=meter.epoch, holds_fine=holds_fine)
        meter.published |= _counters_of(sample)
        return sample


def is_counter(register: Register) -> bool:
    """Whether a register may only increase: by the register table, else by its code (D = 8, and no net sum)."""
    if isinstance(register.raw, (bytes, bool)):
        return False
    row = describe(register.obis)
    return row.is_counter if row else register.obis[3] == _COUNTER and register.obis[2] not in _NET


def is_energy_counter(register: Register) -> bool:
    """Whether a register counts Wh of electricity: what history keeps and sends on (not var h, nor heat)."""
    return register.unit == WATT_HOUR and register.obis[0] == _ELECTRICITY and is_counter(register)


def _counters(registers: Iterable[Register]) -> Iterable[Register]:
    return (register for register in registers if is_counter(register))


def _counters_of(sample: Sample) -> Counters:
    registers = tuple(_counters(sample.reading.registers))
    # a counter that was sent once is kept for ever; without the other registers of its telegram
    moment = replace(sample, reading=replace(sample.reading, registers=(), widths=b""), earlier=())
    return {register.obis: Published(register, moment) for register in registers}


def _violation(published: Counters, sample: Sample, max_power_w: int) -> Violation | None:
    """Why a sample is inconsistent with the published counters, or None."""
    for register in _counters(sample.reading.registers):
        if int(register.raw) < 0:
            return Violation(register, replace(register, raw=0), 0.0, is_decrease=True)
        seen = published.get(register.obis)
        if seen is None:
            continue
        last = seen.register
        value, before, _ = on_one_scale(register, last)
        if value + _resolution(register, last, sample.factor) <= before:
            return Violation(register, last, 0.0, is_decrease=True)
        if value > before:
            seconds = seconds_between(seen.sample, sample)
            limit = _max_increase(register, last, seconds, max_power_w, step_of(sample.factor))
            if limit is not None and value > before + limit:
                return Violation(register, last, seconds, is_decrease=False)
    return None


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


def _is_undated(last: Published, seen: Published) -> bool:
    """Whether the same value is known without its time."""
    return last.sample.monotonic_s == -inf and not _is_lower(seen.register, last.register)


def _is_lower(register: Register, than: Register) -> bool:
    value, limit, _ = on_one_scale(register, than)
    return value < limit


def _max_increase(register: Register, last: Register, seconds: float, max_power_w: int, step: int) -> int | None:
    """The maximum increase of energy, in steps of the finer scale, plus `step` steps of the coarser scale."""
    if register.unit not in ENERGIES or seconds == inf:
        return None
    scalers = (register.scaler or 0, last.scaler or 0)
    increase_wh = ceil(max_power_w * (seconds + SLACK_S) / _HOUR_S)
    return int(Decimal(increase_wh).scaleb(-min(scalers))) + step * int(10 ** (max(scalers) - min(scalers)))


def _is_confirmed(meter: _Meter, sample: Sample, max_power_w: int) -> bool:
    """Whether a telegram may be published that is consistent with the published counters."""
    if sample.reading.is_protected:
        return True
    counters = _counters_of(sample)
    before = {obis: meter.unconfirmed.pop(obis) for obis in counters if obis in meter.unconfirmed}
    if not _is_surprising(meter.published, sample):
        return True
    if before.keys() == counters.keys() and _violation(before, sample, max_power_w) is None:
        return True
    meter.unconfirmed |= counters
    return False


def _is_surprising(published: Counters, sample: Sample) -> bool:
    """Whether a counter is new, or has increased by more than twice what the meter's power makes, and a few steps."""
    for register in _counters(sample.reading.registers):
        seen = published.get(register.obis)
        if seen is None:
            return True
        value, before, scaler = on_one_scale(register, seen.register)
        steps = _FEW_STEPS * step_of(sample.factor) * 10 ** abs((register.scaler or 0) - (seen.register.scaler or 0))
        seconds = seconds_between(seen.sample, sample)
        power_w = _power_w(sample.reading) if register.unit in ENERGIES and seconds < inf else 0
        expected = int(Decimal(ceil(2 * power_w * (seconds + SLACK_S) / _HOUR_S)).scaleb(-scaler))
        if value > before + steps + expected:
            return True
    return False


def _power_w(reading: Reading) -> int:
    """The largest power that a meter shows, 0 where it shows none."""
    powers = (
        register.value for register in reading.numbers() if register.unit == WATT and register.obis[3] == _INSTANTANEOUS
    )
    return max((int(abs(value)) for value in powers if value is not None), default=0)


def _never_lower(published: Counters, register: Register) -> Register:
    """The register; with its last value where that is higher, or as high and finer."""
    seen = published.get(register.obis)
    if seen is None or not is_counter(register):
        return register
    last = seen.register
    value, before, _ = on_one_scale(register, last)
    is_coarser = (register.scaler or 0) > (last.scaler or 0)
    is_behind = value < before or (value == before and is_coarser)
    return replace(register, raw=last.raw, scaler=last.scaler) if is_behind else register
