"""One counter of a meter as it is asked for: with those of the meters that this one has replaced, as one.

    old   ---|----|----|           A replacement is an epoch start: the old meter showed its last boundary before it,
    new              |----|---     the new one its first. Epochs are numbered on, from the oldest meter to the newest.

Of a meter that was replaced nothing counts after its successor began.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.history.model.records import QUARTER_S, EpochStart, MeterInfo, QuarterReading
from iskra_server.meter.obis import Obis

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.reads import Reads

_NEVER = 2**31 - 1


class _Part(Struct, frozen=True):
    """What one meter counted, from quarter `first` until before `end`; its epochs are shifted by `shift`."""

    meter_id: str
    first: int
    end: int
    shift: int


class CounterHistory:
    """Asks for boundaries of one register; the answers have the epochs of the whole line. Raises StoreError."""

    def __init__(self, reads: "Reads", line: Sequence[str], obis: Obis) -> None:
        """`line` are the meters, the oldest first (`line_of`)."""
        self._reads = reads
        self._obis = obis
        self._parts: list[_Part] = []
        self.epochs: list[EpochStart] = []
        if len(line) == 1:
            self._parts.append(_Part(line[0], 0, _NEVER, 0))
            self.epochs += reads.epochs(line[0], obis)
            return
        for meter_id in line:
            if (first := reads.nearest_after(meter_id, obis, -1)) is not None:
                self._succeed(first)

    def look_up(self, quarters: Sequence[int]) -> Mapping[int, QuarterReading]:
        """The boundaries at these quarters, as far as history holds them."""
        found: dict[int, QuarterReading] = {}
        for part in self._parts:
            some = [quarter for quarter in quarters if part.first <= quarter < part.end]
            known = self._reads.quarter_readings(part.meter_id, self._obis, some)
            found |= {quarter: _shifted(each, part.shift) for quarter, each in known.items()}
        return found

    def nearest_before(self, quarter: int) -> QuarterReading | None:
        """The last boundary before a quarter."""
        for part in reversed(self._parts):
            if quarter > part.first:
                found = self._reads.nearest_before(part.meter_id, self._obis, min(quarter, part.end))
                if found is not None:
                    return _shifted(found, part.shift)
        return None

    def nearest_after(self, quarter: int) -> QuarterReading | None:
        """The first boundary after a quarter."""
        for part in self._parts:
            found = self._reads.nearest_after(part.meter_id, self._obis, quarter) if quarter < part.end else None
            if found is not None and found.quarter < part.end:
                return _shifted(found, part.shift)
        return None

    def between(self, first: int, end: int) -> Iterator[QuarterReading]:
        """The boundaries from a quarter until before another, in order."""
        for part in self._parts:
            begin, before = max(first, part.first), min(end, part.end)
            if begin < before:
                known = self._reads.quarter_readings_between(part.meter_id, self._obis, begin, before)
                yield from (_shifted(each, part.shift) for each in known)

    def _succeed(self, first: QuarterReading) -> None:
        """Go on with the counter of the next meter from its first boundary."""
        last = self.nearest_before(first.quarter)
        own = self._reads.epochs(first.meter_id, self._obis)
        shift = 0
        if last is None:
            self._parts, self.epochs = [], []
        else:
            self._parts[-1] = replace(self._parts[-1], end=first.quarter)
            number = last.epoch + 1
            shift = number - first.epoch
            start = EpochStart(first.meter_id, self._obis, number, first.quarter * QUARTER_S, last.value, first.value)
            self.epochs = [*(each for each in self.epochs if each.epoch <= last.epoch), start]
            own = [each for each in own if each.epoch > first.epoch]
        self.epochs += (replace(each, epoch=each.epoch + shift) for each in own)
        self._parts.append(_Part(first.meter_id, first.quarter, _NEVER, shift))


def ordered_chain(meter_id: str, known: Sequence[MeterInfo]) -> list[str]:
    """The meters that a meter has replaced, and those that they had replaced, the oldest first; itself the last."""
    line, found = [meter_id], [meter_id]
    while found:
        found = [info.meter_id for info in known if info.replaced_by in found and info.meter_id not in line]
        line = [*found, *line]
    return line


def _shifted(quarter_reading: QuarterReading, shift: int) -> QuarterReading:
    return replace(quarter_reading, epoch=quarter_reading.epoch + shift) if shift else quarter_reading
