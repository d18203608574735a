"""What one counter counted between two quarters, through replacements and restarts, and how completely.

    begin        first                         last     end      energy_wh: from the first reading inside to the last,
      |-- open --|----|----|~ ~ gap ~ ~|----|----|- open -|      exact. What lies beyond them is known, if at all, as
      covered:   [---------------------------------]             one sum with time outside: `open_gaps`, in no period.
      measured:  [----][----]          [----][----]

The rules are those of history/model/energy.py; sums over groups, statements and the allocation of solar power use them.
"""

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct

from iskra_server.history.model.energy import Gap, energy_between
from iskra_server.history.model.records import QuarterReading
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.readings_in_memory import ReadingsInMemory


class MeteredEnergy(Struct, frozen=True):
    """From quarter `begin` to quarter `end`.

    first, last  the outermost readings inside, both ends included; None where there is none
    energy_wh    from the first to the last; None where there are not two
    covered      quarter-hours between the two: their energy is in the sum
    measured     those of them with an energy of their own, both edges being known
    estimated    those of these that rest on an interpolated reading
    """

    begin: int
    end: int
    first: QuarterReading | None
    last: QuarterReading | None
    energy_wh: Decimal | None
    covered: int
    measured: int
    estimated: int

    @property
    def quarters(self) -> int:
        return self.end - self.begin

    @property
    def missing(self) -> int:
        """Quarter-hours without an energy of their own."""
        return self.quarters - self.measured

    @property
    def is_complete(self) -> bool:
        """Whether readings at both ends are known: `energy_wh` is that of the whole time."""
        return self.covered == self.quarters

    @property
    def readings(self) -> tuple[QuarterReading | None, QuarterReading | None]:
        """The first and the last one; where there is only one, it is the last if it lies at the end, else the first."""
        if self.first is None or self.last is None or self.first.quarter < self.last.quarter:
            return self.first, self.last
        return (None, self.last) if self.last.quarter == self.end else (self.first, None)


def metered_energy(readings: ReadingsInMemory, begin: int, end: int) -> MeteredEnergy:
    """Between two quarters of which the first is earlier, both among those that were read."""
    ends = readings.outermost(begin, end)
    if ends is None:
        return MeteredEnergy(begin, end, None, None, None, 0, 0, 0)
    first, last = ends
    energy_wh = energy_between(first, last, readings.epochs) if first.quarter < last.quarter else None
    measured, estimated = readings.count(begin, end)
    return MeteredEnergy(begin, end, first, last, energy_wh, last.quarter - first.quarter, measured, estimated)


def open_gaps(counter: CounterHistory, energy: MeteredEnergy) -> Iterator[Gap]:
    """What is known of the time before the first and after the last reading, each as one sum. Raises StoreError."""
    begin, end, first, last = energy.begin, energy.end, energy.first, energy.last
    if first is None or last is None:
        yield from _gap(counter, counter.nearest_before(begin), counter.nearest_after(end))
        return
    if first.quarter > begin:
        yield from _gap(counter, counter.nearest_before(begin), first)
    if last.quarter < end:
        yield from _gap(counter, last, counter.nearest_after(end))


def _gap(counter: CounterHistory, before: QuarterReading | None, after: QuarterReading | None) -> Iterator[Gap]:
    if before is not None and after is not None:
        yield Gap(before.quarter, after.quarter, energy_between(before, after, counter.epochs))
