"""The guard keeps the promises on counters (DESIGN.md, truth contract 2 and 3):

- a counter never goes back, and never jumps further than the meter's rating could carry it since the last reading;
- what breaks that rule is held back; when three telegrams in a row agree with each other, they are the new truth,
  and a new epoch begins (a replaced meter, a reset);
- when a meter locks, it falls back to whole kWh: the last fine value stands until the coarse one has passed it.

Counters are compared as integers.
"""

from collections.abc import Iterable
from decimal import Decimal
from math import ceil, inf

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Register, Sample, seconds_between
from iskra_server.meter.registers import describe
from iskra_server.meter.units import WATT_HOUR

# 3 x 100 A x 230 V: the largest meter that is connected directly
MAX_POWER_W = 69_000
AGREEING_TELEGRAMS = 3
# telegrams may arrive in a burst behind a slow line
SLACK_S = 10
_COUNTER = 8
_HOUR_S = 3600

Counters = dict[Obis, Register]


class Breach(Struct, frozen=True):
    """How a counter broke the rule: it went back, or jumped within so many seconds."""

    register: Register
    last: Register
    seconds: float
    is_back: bool

    def __str__(self) -> str:
        if self.is_back:
            return f"{self.register.obis.short} went back from {self.last.value} to {self.register.value}"
        return (
            f"{self.register.obis.short} jumped from {self.last.value} to {self.register.value} "
            f"within {self.seconds:.0f} s"
        )


class Held(Struct, frozen=True):
    """A sample that is not published, and why."""

    sample: Sample
    breach: Breach

    @property
    def reason(self) -> str:
        return str(self.breach)


class _Meter:
    """What is known of one meter: its last published counters, and what was held back since."""

    def __init__(self, sample: Sample) -> None:
        self.trusted: Counters = {}
        self.last = sample
        self.epoch = 0
        self.held: list[Sample] = []


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
        meter = self._meters.setdefault(sample.reading.meter_id, _Meter(replace(sample, monotonic_s=-inf)))
        if sample.epoch < meter.epoch:
            return
        meter.epoch = sample.epoch
        for register in _counters(sample.reading.registers):
            last = meter.trusted.get(register.obis)
            if last is None or _is_behind(last, register):
                meter.trusted[register.obis] = register

    def admit(self, sample: Sample, max_power_w: int = MAX_POWER_W) -> Sample | Held:
        """The sample as it may be published, or held back with the reason."""
        meter = self._meters.setdefault(sample.reading.meter_id, _Meter(sample))
        seconds = seconds_between(meter.last, sample)
        breach = _breach(meter.trusted, sample.reading, seconds, max_power_w)
        if breach is None:
            meter.held.clear()
            return self._publish(meter, sample)
        if meter.held and not _agrees(meter.held[-1], sample, max_power_w):
            meter.held.clear()
        meter.held.append(sample)
        if len(meter.held) < AGREEING_TELEGRAMS:
            self.held_back[sample.reading.meter_id] = self.held_back.get(sample.reading.meter_id, 0) + 1
            return Held(sample, breach)
        meter.held.clear()
        meter.trusted.clear()
        meter.epoch += 1
        return self._publish(meter, sample)

    def _publish(self, meter: _Meter, sample: Sample) -> Sample:
        registers = tuple(_never_coarser(meter.trusted, register) for register in sample.reading.registers)
        meter.trusted |= {register.obis: register for register in _counters(registers)}
        meter.last = sample
        holds_fine = registers != sample.reading.registers
        if not holds_fine and not meter.epoch:
            return sample
        reading = replace(sample.reading, registers=registers)
        return replace(sample, reading=reading, epoch=meter.epoch, holds_fine=holds_fine)


def is_counter(register: Register) -> bool:
    """Whether a register may only grow: by the register table, else by its kind (D = 8)."""
    if isinstance(register.raw, (bytes, bool)):
        return False
    row = describe(register.obis)
    return row.is_counter if row else register.obis[3] == _COUNTER


def _counters(registers: Iterable[Register]) -> Iterable[Register]:
    return (register for register in registers if is_counter(register))


def _agrees(before: Sample, sample: Sample, max_power_w: int) -> bool:
    counters = {register.obis: register for register in _counters(before.reading.registers)}
    return _breach(counters, sample.reading, seconds_between(before, sample), max_power_w) is None


def _breach(trusted: Counters, reading: Reading, seconds: float, max_power_w: int) -> Breach | None:
    """Why a reading cannot follow the trusted counters, or None."""
    for register in _counters(reading.registers):
        last = trusted.get(register.obis)
        if last is None:
            continue
        value, before, resolution = _on_one_scale(register, last)
        if value + resolution <= before:
            return Breach(register, last, seconds, is_back=True)
        limit = _reach(register, last, seconds, max_power_w)
        if limit is not None and value > before + limit:
            return Breach(register, last, seconds, is_back=False)
    return None


def _on_one_scale(register: Register, last: Register) -> tuple[int, int, int]:
    """Both values as integers of the finer scale, and by how much a coarser value may lie below a finer one."""
    finest = min(register.scaler or 0, last.scaler or 0)
    step, last_step = 10 ** ((register.scaler or 0) - finest), 10 ** ((last.scaler or 0) - finest)
    # a meter that locks cuts its digits off
    return int(register.raw) * step, int(last.raw) * last_step, step if step > last_step else 1


def _is_behind(register: Register, other: Register) -> bool:
    value, far, _ = _on_one_scale(register, other)
    return value < far


def _reach(register: Register, last: Register, seconds: float, max_power_w: int) -> int | None:
    """How far energy can have grown, in steps of the finer scale, one step of the coarser scale added."""
    if register.unit != WATT_HOUR or seconds == inf:
        return None
    scalers = (register.scaler or 0, last.scaler or 0)
    reach_wh = ceil(max_power_w * (seconds + SLACK_S) / _HOUR_S)
    return int(Decimal(reach_wh).scaleb(-min(scalers))) + int(10 ** (max(scalers) - min(scalers)))


def _never_coarser(trusted: Counters, register: Register) -> Register:
    """The register; or, with its last fine value, where the meter has locked and the coarse value lies below."""
    last = trusted.get(register.obis)
    if last is None or (register.scaler or 0) <= (last.scaler or 0) or not is_counter(register):
        return register
    value, before, _ = _on_one_scale(register, last)
    return replace(register, raw=last.raw, scaler=last.scaler) if value <= before else register
