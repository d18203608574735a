"""Merges the lists that a meter sends in turn: power every 5 s, counters every 15 minutes (DLMS), single registers
between readouts (D0). SML and P1 telegrams always have everything.

    telegram      A     A     B     A              A has the power, B the counters
    own           A     A     B     A              `sample.reading`: guard, history and points use this alone
    earlier             -     A     B              `sample.earlier`: what only older telegrams have, each with its lag
    shown         A     A     B+A   A+B            `current_reading`: answers, MQTT, metrics and the page

A register is shown until it is older than the age limit; a counter has a limit of its own. With a power the other
powers of its phase are replaced too: they belong together.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.meter.counter_rules import is_counter
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import EarlierRegister, Reading, Register, Sample
from iskra_server.meter.signed_power import CODES_OF_PHASE
from iskra_server.meter.transformer_factor import is_sent

LIST_PROTOCOLS = frozenset(("dlms", "d0"))


class Shown(Struct, frozen=True, gc=False):
    """A register with the age and arrival of its own telegram; `arrived_s` is `received_at` in boot time."""

    register: Register
    age_s: float
    received_at: datetime
    arrived_s: float


def merge(before: Sample | None, sample: Sample, *, stale_after_s: float, counters_stale_after_s: float) -> Sample:
    """The sample with the registers of earlier telegrams that it lacks; `before` is the last one of this meter."""
    if before is None or sample.reading.protocol not in LIST_PROTOCOLS or before.epoch != sample.epoch:
        return sample
    lag_s = _seconds_between(before, sample)
    own = (
        EarlierRegister(
            register,
            before.received_at,
            0.0,
            max(stale_after_s, counters_stale_after_s) if is_counter(register) else stale_after_s,
            before.waited_s,
        )
        for register in before.reading.registers
    )
    replaced = _replaced_codes(register.obis for register in sample.reading.registers)
    earlier = tuple(
        replace(item, lag_s=item.lag_s + lag_s)
        for item in (*own, *before.earlier)
        if item.register.obis not in replaced and item.lag_s + lag_s <= item.limit_s
    )
    return replace(sample, earlier=earlier) if earlier else sample


def shown(sample: Sample, age_s: float) -> Iterator[Shown]:
    """The registers that are current while the sample is, whose age is `age_s`."""
    for register in sample.reading.registers:
        yield Shown(register, age_s, sample.received_at, sample.monotonic_s)
    for item in sample.earlier:
        # each telegram has waited for itself
        item_age_s = age_s - sample.waited_s + item.lag_s + item.waited_s
        if item_age_s <= item.limit_s:
            yield Shown(item.register, item_age_s, item.received_at, sample.monotonic_s - item.lag_s)


def current_reading(sample: Sample, age_s: float | None = None) -> Reading:
    """The merged reading of a sample whose age is `age_s`, by default as it was read."""
    if not sample.earlier:
        return sample.reading
    items = shown(sample, sample.waited_s if age_s is None else age_s)
    return replace(sample.reading, registers=tuple(item.register for item in items), widths=b"")


def list_of(reading: Reading) -> int:
    """Tells the lists of a meter apart: how many registers it sent. 0 where every telegram has all."""
    return sum(map(is_sent, reading.registers)) if reading.protocol in LIST_PROTOCOLS else 0


def _replaced_codes(sent: Iterable[Obis]) -> set[Obis]:
    codes = set(sent)
    return codes.union(*(phase for phase in CODES_OF_PHASE if not codes.isdisjoint(phase)))


def _seconds_between(before: Sample, sample: Sample) -> float:
    """By boot time or by the wall clock, whichever is more: boot time may stand still during a pause."""
    by_wall_s = (sample.received_at - before.received_at).total_seconds()
    return max(sample.monotonic_s - before.monotonic_s, by_wall_s, 0.0)
