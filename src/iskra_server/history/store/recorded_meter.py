"""A meter in history together with the meters that it replaced: it carries on their history."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from iskra_server.history.model.records import MeterInfo, PointBlock, PowerBlock, PowerQuarter
from iskra_server.history.model.spot_price import Prices
from iskra_server.history.store.counter_history import CounterHistory, ordered_chain
from iskra_server.meter.identity import compact_name
from iskra_server.meter.obis import Obis

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.reads import Reads
    from iskra_server.history.store.spot_prices import StoredZone


class RecordedMeter:
    """Queries on one meter and its predecessors. Each may raise StoreError."""

    def __init__(self, reads: "Reads", info: MeterInfo, meters: Sequence[MeterInfo]) -> None:
        """`meters` contains at least the predecessors."""
        self.id = info.meter_id
        self.server_id = info.server_id
        self.simulated = info.simulated
        # whether it measures what a solar plant produces: the history does not know, who asks for the meter does
        self.is_production = False
        self._reads = reads
        self._chain = ordered_chain(info.meter_id, meters)
        self._counters: dict[Obis, CounterHistory] = {}
        # when the first reading arrived, in Unix seconds
        self.first_s = min((meter.first_s for meter in meters if meter.meter_id in self._chain), default=info.first_s)

    @property
    def chain(self) -> Sequence[str]:
        """The meters that it replaced, the oldest first, and itself."""
        return self._chain

    def series(self) -> list[Obis]:
        """The energy registers that history keeps."""
        return sorted({obis for meter_id in self._chain for obis in self._reads.series(meter_id)})

    def counter(self, obis: Obis) -> CounterHistory:
        """The same one each time: it keeps the longest column that it has read."""
        if obis not in self._counters:
            self._counters[obis] = CounterHistory(self._reads, self._chain, obis)
        return self._counters[obis]

    def power_between(self, first: int, end: int) -> list[PowerQuarter]:
        """In order of quarters; where two meters have the same quarter, the newer meter's."""
        by_quarter = {
            power.quarter: power
            for meter_id in self._chain
            for power in self._reads.power_between(meter_id, first, end)
        }
        return [by_quarter[quarter] for quarter in sorted(by_quarter)]

    def points_between(self, from_s: int, to_s: int) -> list[PointBlock]:
        return [block for meter_id in self._chain for block in self._reads.points_between(meter_id, from_s, to_s)]

    def power_blocks_between(self, from_s: int, to_s: int) -> list[PowerBlock]:
        """In order of time; blocks of two meters may overlap."""
        blocks = (self._reads.power_blocks_between(meter_id, from_s, to_s) for meter_id in self._chain)
        return sorted(chain.from_iterable(blocks), key=lambda block: block.first_s)

    def spot_raws(self, zone: str, begin: int, end: int) -> Mapping[int, int]:
        """Spot prices of a zone, which the same database holds: quarter -> millionths of EUR/MWh."""
        # only with an open history: it imports the database library
        from iskra_server.history.store.spot_prices import spot_raws  # noqa: PLC0415

        return spot_raws(self._reads, zone, begin, end)

    def spot_prices(self, zone: str, begin: int, end: int) -> Prices:
        """As `spot_raws`, with what each price was published for."""
        from iskra_server.history.store.spot_prices import spot_prices  # noqa: PLC0415

        return spot_prices(self._reads, zone, begin, end)

    def price_sources(self, zone: str, begin: int, end: int) -> dict[str, int]:
        """The sources of these prices, and when each was asked last (Unix seconds)."""
        from iskra_server.history.store.spot_prices import price_sources  # noqa: PLC0415

        return price_sources(self._reads, zone, begin, end)

    def stored_zones(self) -> "list[StoredZone]":
        """The zones with spot prices, and from when until when."""
        from iskra_server.history.store.spot_prices import stored_zones  # noqa: PLC0415

        return stored_zones(self._reads)


def recorded_meter(reads: "Reads", names: Iterable[str]) -> RecordedMeter | None:
    """The meter that goes by one of `names`: a label, with or without spaces, or a server id in hex."""
    # no meter's name has a control character, and PostgreSQL refuses NUL
    wanted = {compact_name(name) for name in names if not any(character < " " for character in name)} - {""}
    meters = reads.replacement_chain(wanted) if wanted else []
    for info in meters:
        if wanted & {compact_name(info.meter_id), info.server_id}:
            return RecordedMeter(reads, info, meters)
    return None
