"""The quarter of an hour in which a household drew most from the grid; a capacity tariff bills its mean power."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from msgspec import Struct

from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.periods import QUARTERS_PER_HOUR
from iskra_server.history.model.records import EpochStart, QuarterReading


class QuarterEnergy(Struct, frozen=True):
    """The energy of a measured quarter, in Wh."""

    quarter: int
    energy_wh: Decimal

    @property
    def power_w(self) -> Decimal:
        """Its mean power."""
        return self.energy_wh * QUARTERS_PER_HOUR


def quarter_energies(readings: Iterable[QuarterReading], epochs: Sequence[EpochStart]) -> Iterator[QuarterEnergy]:
    """The energy of each quarter with a reading at both edges; `readings` are in order."""
    for before, after in pairwise(readings):
        if after.quarter == before.quarter + 1:
            yield QuarterEnergy(before.quarter, energy_between(before, after, epochs))


def highest_quarter(energies: Iterable[QuarterEnergy]) -> QuarterEnergy | None:
    """The first of the highest ones; None where no quarter was measured, or none has any energy."""
    highest = max(energies, key=lambda quarter: quarter.energy_wh, default=None)
    return highest if highest and highest.energy_wh > 0 else None
