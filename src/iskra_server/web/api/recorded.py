"""The meter that a request to history means: one that history holds, or one that is read but not recorded yet.

A meter that replaced another carries on its history.
"""

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from iskra_server.history.model.records import MeterInfo, PointBlock, PowerBlock, PowerQuarter
from iskra_server.history.store.counter_history import CounterHistory, ordered_chain
from iskra_server.meter.identity import compact_name
from iskra_server.meter.obis import Obis
from iskra_server.web.api.meters import Meter
from iskra_server.web.http.question import has_control_characters

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.reads import Reads

# of a meter of which nothing is recorded yet
_NEVER_S = 2**62


class RecordedMeter:
    """What history holds of a meter and of those that it replaced. Each question may raise StoreError."""

    def __init__(self, reads: "Reads", info: MeterInfo, known: Sequence[MeterInfo]) -> None:
        self.id = info.meter_id
        self.server_id = info.server_id
        self.simulated = info.simulated
        self._reads = reads
        self._line = ordered_chain(info.meter_id, known)
        # the moment of its first reading, in Unix seconds
        self.first_s = min((each.first_s for each in known if each.meter_id in self._line), default=info.first_s)

    def series(self) -> list[Obis]:
        """The energy registers that history keeps."""
        return sorted({obis for meter_id in self._line for obis in self._reads.series(meter_id)})

    def counter(self, obis: Obis) -> CounterHistory:
        return CounterHistory(self._reads, self._line, obis)

    def power_between(self, first: int, end: int) -> list[PowerQuarter]:
        """By quarter; where two meters have the same one, that of the newer."""
        found = {
            power.quarter: power for meter_id in self._line for power in self._reads.power_between(meter_id, first, end)
        }
        return [found[quarter] for quarter in sorted(found)]

    def points_between(self, from_s: int, to_s: int) -> list[PointBlock]:
        return [block for meter_id in self._line for block in self._reads.points_between(meter_id, from_s, to_s)]

    def power_blocks_between(self, from_s: int, to_s: int) -> list[PowerBlock]:
        """In order; those of two meters may overlap."""
        found = (self._reads.power_blocks_between(meter_id, from_s, to_s) for meter_id in self._line)
        return sorted(chain.from_iterable(found), key=lambda block: block.first_s)


def recorded(reads: "Reads", name: str, live: Meter | None) -> RecordedMeter | None:
    """By label, label without spaces, or server id in hex; `live` is what the same name means among live meters."""
    # no meter's name has a control character, and PostgreSQL takes no NUL
    names = (name, live.id if live else "")
    wanted = {compact_name(each) for each in names if not has_control_characters(each)} - {""}
    line = reads.replacement_chain(wanted) if wanted else []
    for info in line:
        if wanted & {compact_name(info.meter_id), info.server_id}:
            return RecordedMeter(reads, info, line)
    if live:
        return RecordedMeter(reads, MeterInfo(live.id, live.server_id or "", live.simulated, _NEVER_S, _NEVER_S), [])
    return None
