"""A meter in history together with the meters that it replaced: it carries on their history."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from iskra_server.history.model.records import MeterInfo, PointBlock, PowerBlock, PowerQuarter
from iskra_server.history.store.counter import Counter, line_of
from iskra_server.meter.identity import normalized
from iskra_server.meter.obis import Obis

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.reads import Reads


class RecordedMeter:
    """Queries on one meter and its predecessors. Each may raise StoreError."""

    def __init__(self, reads: "Reads", info: MeterInfo, meters: Sequence[MeterInfo]) -> None:
        """`meters` contains at least the predecessors."""
        self.id = info.meter_id
        self.server_id = info.server_id
        self.simulated = info.simulated
        self._reads = reads
        self._line = line_of(info.meter_id, meters)
        # when the first reading arrived, in Unix seconds
        self.first_s = min((meter.first_s for meter in meters if meter.meter_id in self._line), default=info.first_s)

    def series(self) -> list[Obis]:
        """The energy registers that history keeps."""
        return sorted({obis for meter_id in self._line for obis in self._reads.series(meter_id)})

    def counter(self, obis: Obis) -> Counter:
        return Counter(self._reads, self._line, obis)

    def power_between(self, first: int, end: int) -> list[PowerQuarter]:
        """In order of quarters; where two meters have the same quarter, the newer meter's."""
        by_quarter = {
            power.quarter: power for meter_id in self._line for power in self._reads.power_between(meter_id, first, end)
        }
        return [by_quarter[quarter] for quarter in sorted(by_quarter)]

    def points_between(self, from_s: int, to_s: int) -> list[PointBlock]:
        return [block for meter_id in self._line for block in self._reads.points_between(meter_id, from_s, to_s)]

    def power_blocks_between(self, from_s: int, to_s: int) -> list[PowerBlock]:
        """In order of time; blocks of two meters may overlap."""
        blocks = (self._reads.power_blocks_between(meter_id, from_s, to_s) for meter_id in self._line)
        return sorted(chain.from_iterable(blocks), key=lambda block: block.first_s)


def recorded_meter(reads: "Reads", names: Iterable[str]) -> RecordedMeter | None:
    """The meter that goes by one of `names`: a label, with or without spaces, or a server id in hex."""
    # no meter's name has a control character, and PostgreSQL refuses NUL
    wanted = {normalized(name) for name in names if not any(character < " " for character in name)} - {""}
    line = reads.line(wanted) if wanted else []
    for info in line:
        if wanted & {normalized(info.meter_id), info.server_id}:
            return RecordedMeter(reads, info, line)
    return None
