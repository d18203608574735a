"""The history of one register of a meter, together with the meters that it replaced, as if it were one counter.

    old   ---|----|----|           A replacement is an epoch start: the old meter's last reading before it, the new
    new              |----|---     meter's first. Epochs are numbered on, from the oldest meter to the newest.

Readings of a replaced meter do not count after its successor began. Epochs grow with time here: at a central server,
where several readers number the epochs of one meter, those in the database need not.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.history.model.epoch_order import EpochOrder
from iskra_server.history.model.quarter_energy import EnergyColumn, ReadingColumns, energy_column
from iskra_server.history.model.records import QUARTER_S, EpochStart, MeterInfo, QuarterReading, quarter_from
from iskra_server.meter.obis import Obis

if TYPE_CHECKING:
    # for its type alone: it imports the database library
    from iskra_server.history.store.reads import Reads

_NEVER = 2**31 - 1


class _Part(Struct, frozen=True):
    """One meter's share, from quarter `first` until before `end`; its epochs are shifted by `shift`."""

    meter_id: str
    first: int
    end: int
    shift: int
    order: EpochOrder

    def epoch(self, quarter: int, epoch: int) -> int:
        """The epoch of a reading of this meter in the whole history."""
        return self.order.epoch(quarter, epoch) + self.shift

    def reading(self, reading: QuarterReading) -> QuarterReading:
        epoch = self.epoch(reading.quarter, reading.epoch)
        return replace(reading, epoch=epoch) if epoch != reading.epoch else reading


class CounterHistory:
    """Readings of one register; their epochs are those of the whole chain. Methods raise StoreError."""

    def __init__(self, reads: "Reads", chain: Sequence[str], obis: Obis) -> None:
        """`chain` are the meters, the oldest first (`ordered_chain`)."""
        self._reads = reads
        self._obis = obis
        self._parts: list[_Part] = []
        self._longest: EnergyColumn | None = None
        self.epochs: list[EpochStart] = []
        if len(chain) == 1:
            order = EpochOrder(reads.epochs(chain[0], obis))
            self._parts.append(_Part(chain[0], 0, _NEVER, 0, order))
            self.epochs += order.starts
            return
        for meter_id in chain:
            if (first := reads.nearest_after(meter_id, obis, -1)) is not None:
                self._append_meter(first)

    def look_up(self, quarters: Sequence[int]) -> Mapping[int, QuarterReading]:
        """The readings at these quarters, as far as history has them."""
        readings: dict[int, QuarterReading] = {}
        for part in self._parts:
            inside = [quarter for quarter in quarters if part.first <= quarter < part.end]
            of_part = self._reads.quarter_readings(part.meter_id, self._obis, inside)
            readings |= {quarter: part.reading(reading) for quarter, reading in of_part.items()}
        return readings

    def nearest_before(self, quarter: int) -> QuarterReading | None:
        """The last reading before a quarter."""
        for part in reversed(self._parts):
            if quarter > part.first:
                reading = self._reads.nearest_before(part.meter_id, self._obis, min(quarter, part.end))
                if reading is not None:
                    return part.reading(reading)
        return None

    def nearest_after(self, quarter: int) -> QuarterReading | None:
        """The first reading after a quarter."""
        for part in self._parts:
            reading = self._reads.nearest_after(part.meter_id, self._obis, quarter) if quarter < part.end else None
            if reading is not None and reading.quarter < part.end:
                return part.reading(reading)
        return None

    def outermost(self, begin: int, end: int) -> tuple[QuarterReading, QuarterReading] | None:
        """The first and the last reading from quarter `begin` to `end`, both included; None with fewer than two."""
        first, last = self.nearest_after(begin - 1), self.nearest_before(end + 1)
        return (first, last) if first and last and first.quarter < last.quarter else None

    def between(self, first: int, end: int) -> Iterator[QuarterReading]:
        """The readings from a quarter until before another, in order."""
        for part in self._parts:
            begin, before = max(first, part.first), min(end, part.end)
            if begin < before:
                readings = self._reads.quarter_readings_between(part.meter_id, self._obis, begin, before)
                yield from (part.reading(reading) for reading in readings)

    def interpolated(self, first: int, end: int) -> list[int]:
        """The quarters from one until before another whose reading is interpolated, in order."""
        quarters: list[int] = []
        for part in self._parts:
            begin, before = max(first, part.first), min(end, part.end)
            if begin < before:
                quarters += self._reads.interpolated(part.meter_id, self._obis, begin, before)
        return quarters

    def energy_columns(self, edges: Sequence[int]) -> Iterator[EnergyColumn | None]:
        """The energy of every quarter from each edge until before the next; None for a piece without a reading.

        A gap that reaches over an edge belongs to the piece in which it ends.
        """
        before = None
        for first, end in pairwise(edges):
            columns = list(self.columns(first, end + 1))
            yield energy_column(columns, before, (first, end), self.epochs)
            before = columns[-1].reading(-1) if columns else before

    def column(self, begin: int, end: int) -> EnergyColumn | None:
        """The energy of every quarter of a period. The longest column is kept: what lies inside is not read again."""
        known = self._longest
        if known and known.first <= begin and end <= known.first + len(known.raws):
            return known.part(begin, end)
        column = next(self.energy_columns((begin, end)))
        if column and (known is None or len(column.raws) > len(known.raws)):
            self._longest = column
        return column

    def columns(self, first: int, end: int) -> Iterator[ReadingColumns]:
        for part in self._parts:
            begin, before = max(first, part.first), min(end, part.end)
            # asked for by epoch: else the query halves the period until it finds where one begins
            starts = (quarter_from(start.at_s) for start in self.epochs)
            cuts = [begin, *sorted({start for start in starts if begin < start < before}), before]
            for piece in pairwise(cuts) if begin < before else ():
                for columns in self._reads.reading_columns(part.meter_id, self._obis, *piece):
                    epoch = part.epoch(columns.quarters[0], columns.epoch)
                    yield replace(columns, epoch=epoch) if epoch != columns.epoch else columns

    def _append_meter(self, first: QuarterReading) -> None:
        """Continue with the next meter of the chain from its first reading."""
        last = self.nearest_before(first.quarter)
        order = EpochOrder(self._reads.epochs(first.meter_id, self._obis))
        epochs, first_epoch = order.starts, order.epoch(first.quarter, first.epoch)
        shift = 0
        if last is None:
            self._parts, self.epochs = [], []
        else:
            # a meter that was first read after its successor has no part
            before = (part for part in self._parts if part.first < first.quarter)
            self._parts = [replace(part, end=min(part.end, first.quarter)) for part in before]
            number = last.epoch + 1
            shift = number - first_epoch
            start = EpochStart(first.meter_id, self._obis, number, first.quarter * QUARTER_S, last.value, first.value)
            self.epochs = [*(epoch for epoch in self.epochs if epoch.epoch <= last.epoch), start]
            epochs = [epoch for epoch in epochs if epoch.epoch > first_epoch]
        self.epochs += (replace(epoch, epoch=epoch.epoch + shift) for epoch in epochs)
        self._parts.append(_Part(first.meter_id, first.quarter, _NEVER, shift, order))


def ordered_chain(meter_id: str, meters: Sequence[MeterInfo]) -> list[str]:
    """A meter and all that it replaced, directly or not, the oldest first, itself the last."""
    chain, added = [meter_id], [meter_id]
    while added:
        added = [info.meter_id for info in meters if info.replaced_by in added and info.meter_id not in chain]
        chain = [*added, *chain]
    return chain
