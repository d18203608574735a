"""What one counter counted between two quarters, through replacements and restarts, and how completely.

    begin        first                         last     end      energy_wh: from the first reading inside to the last,
      |-- open --|----|----|~ ~ gap ~ ~|----|----|- open -|      exact. What lies beyond them is known, if at all, as
      covered:   [---------------------------------]             one sum with time outside: `open_gaps`, in no period.
      measured:  [----][----]          [----][----]

The rules are those of history/model/energy.py; sums over groups, statements and the allocation of solar power use them.
"""

from collections.abc import Collection, Iterator
from decimal import Decimal

from msgspec import Struct

from iskra_server.history.model.energy import Gap, energy_between
from iskra_server.history.model.records import QuarterReading
from iskra_server.history.store.counter_history import CounterHistory


class MeteredEnergy(Struct, frozen=True):
    """From quarter `begin` to quarter `end`.

    first, last  the outermost readings inside, both ends included; None where there is none
    energy_wh    from the first to the last; None where there are not two
    covered      quarter-hours between the two: their energy is in the sum
    measured     those of them with an energy of their own, both edges being known
    estimated    those of these that rest on an interpolated reading
    open_gaps    what is known of the time before the first and after the last reading, each as one sum
    """

    begin: int
    end: int
    first: QuarterReading | None
    last: QuarterReading | None
    energy_wh: Decimal | None
    covered: int
    measured: int
    estimated: int
    open_gaps: tuple[Gap, ...]

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


def metered_energy(counter: CounterHistory, begin: int, end: int) -> MeteredEnergy:
    """Between two quarters of which the first is earlier. Raises StoreError."""
    first, last = counter.nearest_after(begin - 1), counter.nearest_before(end + 1)
    if first is None or last is None or first.quarter > last.quarter:
        # no reading inside
        around = _gap(counter, last, first)
        return MeteredEnergy(begin, end, None, None, None, 0, 0, 0, tuple(around))
    open_gaps: list[Gap] = []
    if first.quarter > begin:
        open_gaps += _gap(counter, counter.nearest_before(begin), first)
    if last.quarter < end:
        open_gaps += _gap(counter, last, counter.nearest_after(end))
    energy_wh = energy_between(first, last, counter.epochs) if first.quarter < last.quarter else None
    measured = _measured(counter, begin, end)
    return MeteredEnergy(
        begin=begin,
        end=end,
        first=first,
        last=last,
        energy_wh=energy_wh,
        covered=last.quarter - first.quarter,
        measured=measured.count(1),
        estimated=_estimated(measured, begin, counter.interpolated(begin, end + 1)),
        open_gaps=tuple(open_gaps),
    )


def _gap(counter: CounterHistory, before: QuarterReading | None, after: QuarterReading | None) -> Iterator[Gap]:
    if before is not None and after is not None:
        yield Gap(before.quarter, after.quarter, energy_between(before, after, counter.epochs))


def _measured(counter: CounterHistory, begin: int, end: int) -> bytearray:
    """1 for each quarter with an energy of its own."""
    column = counter.column(begin, end)
    return column.measured() if column else bytearray(end - begin)


def _estimated(measured: bytearray, begin: int, interpolated: Collection[int]) -> int:
    """How many measured quarters begin or end with an interpolated reading."""
    touched = {quarter for at in interpolated for quarter in (at - 1 - begin, at - begin)}
    return sum(1 for quarter in touched if 0 <= quarter < len(measured) and measured[quarter])
