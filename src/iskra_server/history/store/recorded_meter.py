"""A meter in history together with the meters that it replaced: it carries on their history.

A virtual meter (meter/virtual_meter.py) has no rows: everything of it is computed from its parts when it is asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING

from iskra_server.history.model.records import MeterInfo, PointBlock, PowerBlock, PowerQuarter, QuarterReading
from iskra_server.history.model.spot_price import Prices
from iskra_server.history.store.counter_history import CounterHistory, ordered_chain
from iskra_server.history.store.virtual_counter import VirtualCounter
from iskra_server.meter.identity import compact_name
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.reading import scaled
from iskra_server.meter.virtual_meter import VIRTUAL, MeterPart, VirtualMeter

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.reads import Reads
    from iskra_server.history.store.spot_prices import StoredZone


# of a quarter-hour
_MW_OF_WH = 4000


class RecordedMeter:
    """Queries on one meter and its predecessors. Each may raise StoreError."""

    def __init__(self, reads: "Reads", info: MeterInfo, meters: Sequence[MeterInfo]) -> None:
        """`meters` contains at least the predecessors."""
        self.info = info
        self.id = info.meter_id
        self.server_id = info.server_id
        self.simulated = info.simulated
        # whether it measures what a solar plant produces: the history does not know, who asks for the meter does
        self.is_production = False
        self._reads = reads
        self._chain: Sequence[str] = ordered_chain(info.meter_id, meters)
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
            self._counters[obis] = self._counter(obis)
        return self._counters[obis]

    def _counter(self, obis: Obis) -> CounterHistory:
        return CounterHistory(self._reads, self._chain, obis)

    def own_nearest_before(self, obis: Obis, quarter: int) -> QuarterReading | None:
        """The last reading before a quarter, without those of the meters that it replaced."""
        return self._reads.nearest_before(self.id, obis, quarter)

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


class VirtualRecordedMeter(RecordedMeter):
    """A virtual meter; `parts` are the signs and meters of its parts. It is simulated if one of them is."""

    def __init__(self, reads: "Reads", meter: VirtualMeter, parts: Sequence[tuple[int, RecordedMeter]]) -> None:
        first_s, last_s = (max(part.info.first_s for _, part in parts), min(part.info.last_s for _, part in parts))
        simulated = any(part.simulated for _, part in parts)
        info = MeterInfo(meter.id, meter.id.encode().hex(), simulated, first_s, last_s, port=VIRTUAL)
        super().__init__(reads, info, [])
        self.first_s = max(part.first_s for _, part in parts)
        self.stale_after_s = meter.stale_after_s
        self.parts = parts
        self._chain = [meter_id for _, part in parts for meter_id in part.chain]
        self._series = [(sign, part, set(part.series())) for sign, part in parts]

    def series(self) -> list[Obis]:
        """Those that all parts have, and the two totals where it is clear that the others have none to count."""
        found = set[Obis]().union(*(series for *_, series in self._series))
        return sorted(obis for obis in found if self._counts(obis))

    def _counts(self, obis: Obis) -> bool:
        """A meter without 2.8.0 exports nothing; where only one that is subtracted has it, the rest is unknown."""
        lacking = [sign for sign, _, series in self._series if obis not in series]
        if obis not in (IMPORT, EXPORT) or not all(series for *_, series in self._series):
            return not lacking
        return all(sign < 0 for sign in lacking) or all(sign > 0 for sign, *_ in self._series)

    def _counter(self, obis: Obis) -> CounterHistory:
        has = [(sign, part) for sign, part, series in self._series if obis in series and self._counts(obis)]
        # of a register that it lacks, any part tells that there is no reading
        return VirtualCounter(self.id, obis, [(sign, part.counter(obis)) for sign, part in has or self.parts])

    def own_nearest_before(self, obis: Obis, quarter: int) -> QuarterReading | None:
        return self.counter(obis).nearest_before(quarter)

    def power_between(self, first: int, end: int) -> list[PowerQuarter]:
        """The mean power of each quarter by its energy, as lowest and highest too: those of the parts do not add up.

        None where the export is unknown.
        """
        has_export = any(EXPORT in series for *_, series in self._series)
        columns = [(1, IMPORT), (-1, EXPORT)] if has_export else [(1, IMPORT)]
        nets: list[dict[int, Decimal]] = []
        for sign, obis in columns:
            column = self.counter(obis).column(first, end)
            if column is None:
                return []
            known = column.measured()
            nets.append(
                {first + at: sign * scaled(raw, column.scaler) for at, raw in enumerate(column.raws) if known[at]}
            )
        common = sorted(set.intersection(*map(set, nets)))
        powers = ((quarter, int(sum(net[quarter] for net in nets) * _MW_OF_WH)) for quarter in common)
        return [PowerQuarter(self.id, quarter, power, power, power, 1) for quarter, power in powers]

    def points_between(self, from_s: int, to_s: int) -> list[PointBlock]:
        """None: those of its parts are combined by history/points/combined_power.py."""
        return []

    def power_blocks_between(self, from_s: int, to_s: int) -> list[PowerBlock]:
        return []


def virtual_infos(reads: "Reads") -> list[MeterInfo]:
    """The virtual meters whose parts are all in history, each once."""
    return [meter.info for virtual in reads.virtual() if (meter := _virtual_meter(reads, virtual))]


def _virtual_meter(reads: "Reads", virtual: VirtualMeter) -> VirtualRecordedMeter | None:
    """None where a part is not in history, and where two are the same meter: it would count twice."""
    parts = [(part.sign, _part(reads, part)) for part in virtual.parts]
    known = [(sign, meter) for sign, meter in parts if meter is not None]
    ids = [meter_id for _, meter in known for meter_id in meter.chain]
    is_computable = len(known) == len(parts) and len(set(ids)) == len(ids)
    return VirtualRecordedMeter(reads, virtual, known) if is_computable else None


def _part(reads: "Reads", part: MeterPart) -> RecordedMeter | None:
    """By its number; where its source has not read it since the start, the meter that was read there last."""
    if part.meter_id or not part.port:
        return _real_meter(reads, (part.meter_id or part.name,))
    last = read_last_at(reads, part.port)
    return _real_meter(reads, (last.meter_id,)) if last else None


def read_last_at(reads: "Reads", port: str) -> MeterInfo | None:
    """The meter that was read last at a port, and was not replaced since."""
    infos = (info for info in reads.meters() if info.port == port and info.replaced_by is None)
    return max(infos, key=lambda info: info.last_s, default=None)


def recorded_meter(reads: "Reads", names: Iterable[str]) -> RecordedMeter | None:
    """The meter that goes by one of `names`: a label, with or without spaces, or a server id in hex.

    A virtual meter by its name, where no other meter has it.
    """
    names = list(names)
    if meter := _real_meter(reads, names):
        return meter
    wanted = set(map(compact_name, names))
    found = (virtual for virtual in reads.virtual() if compact_name(virtual.id) in wanted)
    return next((meter for virtual in found if (meter := _virtual_meter(reads, virtual))), None)


def _real_meter(reads: "Reads", names: Iterable[str]) -> RecordedMeter | None:
    # no meter's name has a control character, and PostgreSQL refuses NUL
    wanted = {compact_name(name) for name in names if not any(character < " " for character in name)} - {""}
    meters = reads.replacement_chain(wanted) if wanted else []
    for info in meters:
        if wanted & {compact_name(info.meter_id), info.server_id}:
            return RecordedMeter(reads, info, meters)
    return None
