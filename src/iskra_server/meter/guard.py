"""The guard checks counters before they are published (docs/architecture.md, promises 2, 3 and 6):

- a counter never decreases, and never increases faster than the rating of the meter allows;
- a telegram that violates this is held back. Telegrams that are consistent with each other for AGREEING_S, at least
  AGREEING_TELEGRAMS of them, are accepted and begin a new epoch (a replaced register, a reset). A telegram that is
  consistent with the published values ends the wait, and the epoch stays;
- a counter that no meter of this connection can show, below 0 or beyond its rating, is left out alone, with the sum of
  tariffs that it is part of, so that the others are served. Where it has been published before, its telegrams are held
  back for IMPOSSIBLE_S first: the last value stays meanwhile;
- a meter that locks sends whole kWh only: its last fine value is kept until the coarse value has passed it. So does a
  meter whose lists have different resolutions, and one that is read in two ways;
- of a weakly protected telegram, damage may be a possible value. Its counters are published as far as two telegrams in
  a row have reached them (docs/decisions/0014-weakly-protected-counters.md).

A meter may send its counters in several lists in turn: each telegram is checked for those that it has, and only one
that has the disputed counter ends the wait. Another server id is another meter with its own counters. Counters are
compared as integers.
"""

from math import inf

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.meter.counter_rules import (
    MAX_COUNTERS,
    SLACK_S,
    Counters,
    SeenCounter,
    Violation,
    counters_of,
    impossible_counters,
    is_lower,
    joined,
    never_lower,
    violation,
)
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Register, Sample, seconds_between
from iskra_server.meter.totals import is_sum_with

# 3 x 100 A x 230 V: the largest meter that is connected without transformers
MAX_POWER_W = 69_000
AGREEING_TELEGRAMS = 3
# a meter that restarts or miscalculates sends zeros for seconds; a reset is permanent
AGREEING_S = 300.0
# a meter that miscalculates for seconds; a reading is current for a minute by default
IMPOSSIBLE_S = 30.0
# a counter that does not come any more, because its code was damaged once; some lists come once an hour
_REMEMBERED_S = 7200.0
# of weakly protected telegrams: they deny the published value, which damage made too high
_DENYING_TELEGRAMS = 2
# a value of the telegram before is current if that is no older, or as old as is usual
_CURRENT_S = 60.0
_USUAL = 2.0


class HeldBack(Struct, frozen=True):
    """A sample that is not published, with the reason; without a violation it waits for a second one that agrees."""

    sample: Sample
    violation: Violation | None

    @property
    def reason(self) -> str:
        return str(self.violation or "weakly protected, its counters need a second telegram that agrees")


class _Candidate:
    """Counters that were held back, and since when: accepted once they are consistent long enough.

    `before` are those without the last telegram.
    """

    def __init__(self, first: Sample) -> None:
        self.since_s = first.monotonic_s
        self.telegrams = 0
        self.before: Counters = {}
        self.counters: Counters = {}
        self.disputed: set[Obis] = set()

    def add(self, sample: Sample, disputed: Obis) -> None:
        self.telegrams += 1
        self.before, self.counters = self.counters, joined(self.counters, counters_of(sample))
        self.disputed.add(disputed)

    def is_in(self, reading: Reading) -> bool:
        """Whether a telegram has one of the disputed counters."""
        return any(register.obis in self.disputed for register in reading.registers)

    def is_accepted(self, now_s: float) -> bool:
        return self.telegrams >= AGREEING_TELEGRAMS and now_s - self.since_s >= AGREEING_S


class _Impossible(Struct, frozen=True):
    """A counter that its meter cannot show: since when, and when it was sent last."""

    problem: Violation
    since_s: float
    sent_s: float


class _Meter:
    """One meter: its published counters, those held back since, and those that it cannot show."""

    def __init__(self) -> None:
        self.published: Counters = {}
        # of these only an earlier process has published a value
        self.remembered: set[Obis] = set()
        self.impossible: dict[Obis, _Impossible] = {}
        self.epoch = 0
        self.candidate: _Candidate | None = None
        # of the last telegrams, once one was weakly protected
        self.unconfirmed: Counters = {}


class Guard:
    """One for all meters; `held_back` counts the implausible samples, by meter id, not those that wait for a second."""

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
        for obis, seen in counters_of(replace(sample, monotonic_s=at_s)).items():
            last = meter.published.get(obis)
            if last is None:
                meter.remembered.add(obis)
            if last is None or is_lower(last.register, seen.register) or _is_undated(last, seen):
                meter.published[obis] = seen

    def admit(self, sample: Sample, max_power_w: int = MAX_POWER_W) -> Sample | HeldBack:
        """The sample to publish, or HeldBack with the reason."""
        meter = self._meters.setdefault(sample.reading.meter_id, _Meter())
        impossible = impossible_counters(sample.reading, max_power_w)
        if impossible or meter.impossible:
            sample = _without_impossible(meter, sample, impossible)
            if problem := _held_for(meter, sample, impossible):
                return self._hold_back(sample, problem)
        problem = violation(meter.published, sample, max_power_w)
        if problem is not None and not self._is_admitted(meter, sample, problem, max_power_w):
            return self._hold_back(sample, problem)
        if not sample.reading.is_weak:
            confirmed, moments = sample, Counters()
            if meter.unconfirmed:
                # or a damaged value from before this telegram could still be confirmed
                meter.unconfirmed = _with_intervals(meter.unconfirmed, counters_of(sample))
        elif (result := _confirmed(meter, sample, max_power_w)) is not None:
            confirmed, moments = result
        else:
            return HeldBack(sample, None)
        if problem is None and meter.candidate and meter.candidate.is_in(sample.reading):
            meter.candidate = None
        return self._publish(meter, confirmed, moments)

    def knows(self, meter_id: str) -> bool:
        """Whether a reading of this meter was published before, by this process or an earlier one."""
        meter = self._meters.get(meter_id)
        return meter is not None and bool(meter.published)

    def left_out(self, meter_id: str) -> tuple[Violation, ...]:
        """The counters of a meter's last telegrams that it cannot show."""
        meter = self._meters.get(meter_id)
        return tuple(known.problem for known in meter.impossible.values()) if meter else ()

    def _hold_back(self, sample: Sample, problem: Violation) -> HeldBack:
        meter_id = sample.reading.meter_id
        self.held_back[meter_id] = self.held_back.get(meter_id, 0) + 1
        return HeldBack(sample, problem)

    def _is_admitted(self, meter: _Meter, sample: Sample, problem: Violation, max_power_w: int) -> bool:
        """Whether a violation is the truth: the telegrams held back are consistent with it, often and long enough.

        Two weakly protected ones that are slightly lower show that damage made the published value too high. That is
        kept until it is passed, or until they are the truth; they are published otherwise.
        """
        candidate = meter.candidate
        if candidate is None or violation(candidate.counters, sample, max_power_w) is not None:
            candidate = meter.candidate = _Candidate(sample)
        candidate.add(sample, problem.register.obis)
        if candidate.is_accepted(sample.monotonic_s):
            meter.candidate = None
            meter.published = {}
            meter.unconfirmed = candidate.before
            meter.epoch += 1
            return True
        if not sample.reading.is_weak or candidate.telegrams < _DENYING_TELEGRAMS:
            return False
        return violation(meter.published, sample, max_power_w, tolerated_s=SLACK_S) is None

    def _publish(self, meter: _Meter, sample: Sample, moments: Counters) -> Sample:
        registers = tuple(never_lower(meter.published, register) for register in sample.reading.registers)
        holds_fine = registers != sample.reading.registers
        if holds_fine or meter.epoch:
            reading = replace(sample.reading, registers=registers)
            sample = replace(sample, reading=reading, epoch=meter.epoch, holds_fine=holds_fine)
        published = counters_of(sample)
        for obis, moment in moments.items():
            published[obis] = replace(published[obis], sample=moment.sample)
        meter.published = joined(meter.published, published)
        meter.remembered.difference_update(published)
        return sample


def _without_impossible(meter: _Meter, sample: Sample, impossible: dict[Obis, Violation]) -> Sample:
    """The sample with these counters as entries without a value: so an earlier value does not stand in for them."""
    before, now_s = meter.impossible, sample.monotonic_s
    sent = {register.obis for register in sample.reading.registers}
    kept = [item for item in before.items() if item[0] not in sent and now_s - item[1].sent_s <= _REMEMBERED_S]
    meter.impossible = dict(kept[-MAX_COUNTERS:]) | {
        obis: _Impossible(problem, before[obis].since_s if obis in before else now_s, now_s)
        for obis, problem in impossible.items()
    }
    registers = tuple(
        replace(register, raw=b"", scaler=None)
        if register.obis in impossible or is_sum_with(register, impossible)
        else register
        for register in sample.reading.registers
    )
    return replace(sample, reading=replace(sample.reading, registers=registers)) if impossible else sample


def _held_for(meter: _Meter, sample: Sample, impossible: dict[Obis, Violation]) -> Violation | None:
    """The impossible counter for which a telegram is held back with all that it has, or None.

    Either the last value of that counter is still served, or nothing is left of the telegram.
    """
    has_numbers = any(register.unit is not None for register in sample.reading.numbers())
    for obis, problem in impossible.items():
        is_served = obis in meter.published and obis not in meter.remembered
        if not has_numbers or (is_served and sample.monotonic_s - meter.impossible[obis].since_s < IMPOSSIBLE_S):
            return problem
    return None


def _is_undated(last: SeenCounter, seen: SeenCounter) -> bool:
    """Whether the same value is known without its time."""
    return last.sample.monotonic_s == -inf and not is_lower(seen.register, last.register)


def _confirmed(meter: _Meter, sample: Sample, max_power_w: int) -> tuple[Sample, Counters] | None:
    """A weakly protected sample with each counter as far as this telegram and the one before have reached it.

    With the counters that are those of the one before. New counters are left out. None if no counter is confirmed, or
    if one has increased since a telegram that is too old to be current.
    """
    seen = counters_of(sample)
    before = meter.unconfirmed
    meter.unconfirmed = _with_intervals(before, seen)
    registers: list[Register] = []
    moments: Counters = {}
    for register in sample.reading.registers:
        last, first = meter.published.get(register.obis), before.get(register.obis)
        if register.obis not in seen or (last and not is_lower(last.register, register)):
            registers.append(register)
        elif first and _confirms(first, register, sample, max_power_w, is_new=last is None):
            if is_lower(first.register, register):
                moments[register.obis] = first
            registers.append(first.register if register.obis in moments else register)
        elif last:
            return None
    if seen and not any(register.obis in seen for register in registers):
        return None
    time = sample.reading.meter_time
    if moments and sample.reading.channel:
        # a sub-meter was read at this time
        time = next(iter(moments.values())).sample.reading.meter_time
    return replace(sample, reading=replace(sample.reading, registers=tuple(registers), meter_time=time)), moments


def _with_intervals(before: Counters, seen: Counters) -> Counters:
    return joined(before, {obis: _after(before.get(obis), now) for obis, now in seen.items()})


def _after(before: SeenCounter | None, now: SeenCounter) -> SeenCounter:
    return replace(now, interval_s=seconds_between(before.sample, now.sample)) if before else now


def _confirms(first: SeenCounter, register: Register, sample: Sample, max_power_w: int, *, is_new: bool) -> bool:
    """Whether a counter of the telegram before confirms that of this one, and is current itself."""
    if seconds_between(first.sample, sample) > max(_CURRENT_S, _USUAL * first.interval_s):
        return False
    alone = replace(sample, reading=replace(sample.reading, registers=(register,)))
    return not is_new or violation({register.obis: first}, alone, max_power_w) is None
