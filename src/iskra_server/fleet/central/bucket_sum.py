"""The energy of counters in one bucket, as it is added up, and how complete it is."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from iskra_server.fleet.central.rollups import BucketEnergy
from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.records import EpochStart, QuarterReading
from iskra_server.meter.reading import scaled


class Completeness(Struct, frozen=True):
    """How complete a sum is.

    meters     metering points of the group that have the register
    complete   those with a reading at both ends of their time
    quarters   quarter-hours of their time, as far as it has passed
    measured   those with a reading at both ends; None where they were too many to count
    estimated  those of the measured ones that rest on an interpolated reading
    """

    meters: int
    complete: int
    quarters: int
    measured: int | None
    estimated: int | None


class BucketSum:
    """A sum that grows."""

    def __init__(self, begin: int, end: int) -> None:
        self.begin, self.end = begin, end
        self.meters = self.complete = self.quarters = self.measured = self.estimated = 0
        self.is_counted = True
        self.steps: Counter[int] = Counter()

    def add(self, raw: int, scaler: int) -> None:
        """In integers: Decimal would round to its context."""
        self.steps[scaler] += raw

    def add_energy(
        self,
        ends: tuple[QuarterReading, QuarterReading] | None,
        span: tuple[int, int],
        epochs: Sequence[EpochStart],
    ) -> bool:
        """What a counter counted in the bucket, or in a part of it: `ends` are its first and last reading in `span`.

        Says whether that is all of it.
        """
        if ends is None:
            return False
        first, last = ends
        if first.quarter < last.quarter:
            self.add_decimal(energy_between(first, last, epochs))
        return (first.quarter, last.quarter) == span

    def add_decimal(self, energy: Decimal) -> None:
        sign, digits, scaler = energy.as_tuple()
        assert isinstance(scaler, int)
        raw = int("".join(map(str, digits)))
        self.add(-raw if sign else raw, scaler)

    def add_sum(self, other: "BucketSum") -> None:
        """What other meters counted in this bucket or in a part of it."""
        self.steps.update(other.steps)
        self.meters, self.complete = self.meters + other.meters, self.complete + other.complete
        self.add_counts(other)

    def add_counts(self, other: "BucketSum") -> None:
        """The quarter-hours of another sum."""
        self.quarters += other.quarters
        self.measured, self.estimated = self.measured + other.measured, self.estimated + other.estimated
        self.is_counted = self.is_counted and other.is_counted

    def add_rolled_up(self, sums: BucketEnergy) -> None:
        if sums.energy is not None:
            self.add_decimal(sums.energy)
        self.complete += sums.complete
        self.measured += sums.quarters
        self.estimated += sums.estimated

    @property
    def energy(self) -> Decimal | None:
        if not self.steps:
            return None
        finest = min(self.steps)
        return scaled(sum(raw * int(10 ** (scaler - finest)) for scaler, raw in self.steps.items()), finest)

    def completeness(self) -> Completeness:
        counts = (self.measured, self.estimated) if self.is_counted else (None, None)
        return Completeness(self.meters, self.complete, self.quarters, *counts)
