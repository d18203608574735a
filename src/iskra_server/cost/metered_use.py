"""The energy of a recorded meter in each bucket of a period, by the rates that apply.

    buckets   |-----------|-----------|        from one edge to the next
    runs      |---HT--|----ST---|--HT-|        of equal prices
    pieces    |-------|---|-----|-----|        cut at both: each has one rate

Where each rate applies once, a piece is the difference of two readings. Where rates come back, as those of windows, or
follow the spot price, the energy of every quarter is read at once: a difference takes up to three queries a piece.
A gap within one rate is exact; one over several is spread over its quarters (gap_spread.py): an estimate.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import compress, pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.contracts import Contract
from iskra_server.cost.gap_spread import GapSpreading, Spread
from iskra_server.cost.price_columns import Spot, spot_columns
from iskra_server.cost.price_runs import PriceRun
from iskra_server.cost.tariffs import Rate, SpotShare
from iskra_server.cost.used_energy import UsedEnergy, UseOfPeriod, used_at_spot
from iskra_server.history.model.energy import Gap, energy_in_buckets
from iskra_server.history.model.quarter_energy import EnergyColumn
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.reading import scaled

_ZERO = Decimal(0)
# of energy that the contract has no price for
_UNKNOWN = Rate(_ZERO)


# the prices from one quarter until before another; they follow each other without a gap
RunsOf = Callable[[int, int], Sequence[PriceRun]]


class _Piece(Struct, frozen=True):
    """`lacks_register`: the meter does not have all registers of the contract; the rest of 1.8.0 has no price."""

    begin: int
    end: int
    bucket: int
    run: PriceRun
    lacks_register: bool

    def rate(self, obis: Obis) -> Rate | None:
        if obis == EXPORT:
            return self.run.feed_in
        if obis == IMPORT and self.lacks_register:
            return _UNKNOWN
        return next((rate for register, rate in self.run.imports if register == obis), None)


class _Group(Struct):
    """The quarters of a bucket at one rate; `prices` are those of the spot market, if the rate follows them."""

    piece: _Piece
    raw: int
    raws: list[int]
    prices: list[int | None]


class MeteredUse:
    """The use in each bucket between `edges`, and in all of them. Raises StoreError.

    With `counts_crossing`, a gap over the edge of a bucket counts in the one in which it ends; without, in none, and
    in `whole` alone.
    """

    def __init__(
        self,
        counters: Mapping[Obis, CounterHistory],
        runs_of: RunsOf,
        edges: Sequence[int],
        spot: Spot,
        tz: ZoneInfo,
        *,
        counts_crossing: bool = False,
    ) -> None:
        self.buckets = [UseOfPeriod() for _ in edges[:-1]]
        self.whole = UseOfPeriod()
        # by identity: the contracts that something was measured under, in each bucket
        self._measured: list[set[int]] = [set() for _ in edges[:-1]]
        self._edges, self._tz = edges, tz
        self._counts_crossing = counts_crossing
        outermost = {obis: counter.outermost(edges[0], edges[-1]) for obis, counter in counters.items()}
        self._outermost = {obis: readings for obis, readings in outermost.items() if readings}
        # what was not measured needs no price
        runs = self._measured_runs(runs_of)
        self._pieces = list(_pieces(runs, edges, counters.keys()))
        self._begins = [piece.begin for piece in self._pieces]
        self._spots: dict[SpotShare, list[int | None]] = {}
        if not self._pieces:
            return
        begin, end = self._pieces[0].begin, self._pieces[-1].end
        self._spots = spot_columns((rate for run in runs for rate in _rates(run)), begin, end, spot)
        returns = len(runs) > len({id(run.imports) for run in runs})
        for obis in sorted(self._outermost):
            if any(piece.rate(obis) for piece in self._pieces):
                (self._add_quarters if self._spots or returns else self._add_sums)(obis, counters[obis])

    def is_measured(self, bucket: int, contract: Contract) -> bool:
        """Whether something was measured in a bucket under a contract."""
        return id(contract) in self._measured[bucket]

    def _measured_runs(self, runs_of: RunsOf) -> Sequence[PriceRun]:
        """The prices from the first reading of any counter to the last."""
        if not self._outermost:
            return []
        firsts, lasts = zip(*self._outermost.values(), strict=True)
        return runs_of(min(first.quarter for first in firsts), max(last.quarter for last in lasts))

    def _add_sums(self, obis: Obis, counter: CounterHistory) -> None:
        cuts = [*self._begins, self._pieces[-1].end]
        energies = energy_in_buckets(
            cuts, counter.look_up, counter.nearest_before, counter.nearest_after, counter.epochs
        )
        for piece, bucket in zip(self._pieces, energies.buckets, strict=True):
            if bucket.energy_wh is not None and (rate := piece.rate(obis)):
                self._count(piece.bucket, obis, piece, rate, UsedEnergy(bucket.energy_wh))
                self._measured[piece.bucket].add(id(piece.run.contract))
        for gap in energies.gaps:
            if self._edges[0] <= gap.begin and gap.end <= cuts[-1]:
                self._add_gap(obis, gap, GapSpreading(counter, None, self._tz))

    def _add_quarters(self, obis: Obis, counter: CounterHistory) -> None:
        first, last = (reading.quarter for reading in self._outermost[obis])
        column = counter.column(self._begin_of(counter, first), self._pieces[-1].end)
        if column is None:
            return
        gaps = [Gap(gap.begin, gap.end, scaled(gap.raw, column.scaler)) for gap in column.gaps]
        # quarters of each piece that lie in gaps: a reading between two of them measures nothing
        in_gaps: dict[int, int] = defaultdict(int)
        for gap in gaps:
            for piece in self._touched(gap):
                in_gaps[piece.begin] += min(piece.end, gap.end) - max(piece.begin, gap.begin)
        is_measured = [min(piece.end, last) - max(piece.begin, first) > in_gaps[piece.begin] for piece in self._pieces]
        self._count_measured(obis, column, compress(self._pieces, is_measured))
        spreading = GapSpreading(counter, column, self._tz)
        for gap in gaps:
            self._add_gap(obis, gap, spreading)

    def _count_measured(self, obis: Obis, column: EnergyColumn, pieces: Iterable[_Piece]) -> None:
        """The quarters of pieces, those of one bucket and rate together."""
        groups: dict[tuple[int, int, bool], _Group] = {}
        for piece in pieces:
            rate = piece.rate(obis)
            if rate is None:
                continue
            self._measured[piece.bucket].add(id(piece.run.contract))
            key = piece.bucket, id(rate), piece.lacks_register
            group = groups.get(key) or groups.setdefault(key, _Group(piece, 0, [], []))
            raws = column.raws[piece.begin - column.first : piece.end - column.first]
            if rate.spot is None:
                group.raw += sum(raws)
            else:
                group.raws += raws
                group.prices += self._prices(rate.spot, piece.begin, piece.end)
        for group in groups.values():
            if rate := group.piece.rate(obis):
                used = UsedEnergy(scaled(group.raw, column.scaler))
                if rate.spot:
                    used = used_at_spot(rate.spot, group.raws, column.scaler, group.prices)
                self._count(group.piece.bucket, obis, group.piece, rate, used)

    def _begin_of(self, counter: CounterHistory, first: int) -> int:
        """The first piece's, or that of the gap in which it begins; `first` is that of the first reading."""
        begin = self._begins[0]
        before = counter.nearest_before(begin + 1) if first < begin else None
        return before.quarter if before and before.quarter >= self._edges[0] else begin

    def _count(
        self, bucket: int | None, obis: Obis, piece: _Piece, rate: Rate, used: UsedEnergy, *, is_estimate: bool = False
    ) -> None:
        """Without a bucket, in the whole alone."""
        if rate is _UNKNOWN:
            used = UsedEnergy(_ZERO, unpriced_wh=used.wh)
        elif piece.lacks_register and obis != EXPORT:
            # the energy of a register is part of that of 1.8.0
            used += UsedEnergy(_ZERO, unpriced_wh=-used.wh)
        self.whole.add(obis, rate, used, is_estimate=is_estimate)
        if bucket is not None:
            self.buckets[bucket].add(obis, rate, used, is_estimate=is_estimate)

    def _add_gap(self, obis: Obis, gap: Gap, spreading: GapSpreading) -> None:
        """Count the energy of a gap, in the bucket that it lies in."""
        bucket: int | None = bisect_right(self._edges, gap.begin) - 1
        if gap.end > self._edges[(bucket or 0) + 1]:
            bucket = bisect_right(self._edges, gap.end - 1) - 1 if self._counts_crossing else None
        touched = self._touched(gap)
        if bucket is not None:
            self._measured[bucket] |= {id(piece.run.contract) for piece in touched}
        rates = {id(rate): rate for piece in touched if (rate := piece.rate(obis))}
        if len(rates) == 1 and all(rate.spot is None for rate in rates.values()) and _covers(touched, gap, obis):
            (rate,) = rates.values()
            self._count(bucket, obis, touched[0], rate, UsedEnergy(gap.energy_wh))
            return
        scaler = min(int(gap.energy_wh.as_tuple().exponent), 0)
        spread = spreading.spread(gap.begin, gap.end, int(gap.energy_wh.scaleb(-scaler)), scaler)
        for piece in touched:
            if rate := piece.rate(obis):
                used = self._estimate(rate, max(piece.begin, gap.begin), min(piece.end, gap.end), spread)
                self._count(bucket, obis, piece, rate, used, is_estimate=True)

    def _estimate(self, rate: Rate, begin: int, end: int, spread: Spread) -> UsedEnergy:
        raws = spread.raws[begin - spread.begin : end - spread.begin]
        if rate.spot is None:
            return UsedEnergy(scaled(sum(raws), spread.scaler))
        return used_at_spot(rate.spot, raws, spread.scaler, self._prices(rate.spot, begin, end))

    def _touched(self, gap: Gap) -> list[_Piece]:
        first = max(bisect_right(self._begins, gap.begin) - 1, 0)
        last = bisect_right(self._begins, gap.end - 1)
        return self._pieces[first:last]

    def _prices(self, share: SpotShare, begin: int, end: int) -> list[int | None]:
        first = self._begins[0]
        return self._spots[share][begin - first : end - first]


def _pieces(runs: Sequence[PriceRun], edges: Sequence[int], known: Collection[Obis]) -> Iterator[_Piece]:
    """`edges` and the beginnings of runs, merged."""
    if not runs:
        return
    first, last = runs[0].begin, runs[-1].end
    cuts = sorted({*(edge for edge in edges if first < edge < last), *(run.begin for run in runs), last})
    place, bucket = 0, max(bisect_right(edges, cuts[0]) - 1, 0)
    for begin, end in pairwise(cuts):
        while runs[place].end <= begin:
            place += 1
        while edges[bucket + 1] <= begin:
            bucket += 1
        yield _Piece(begin, end, bucket, runs[place], any(obis not in known for obis, _ in runs[place].imports))


def _rates(run: PriceRun) -> Iterator[Rate]:
    yield from (rate for _, rate in run.imports)
    yield run.feed_in


def _covers(pieces: Sequence[_Piece], gap: Gap, obis: Obis) -> bool:
    """Whether a register counts all the time of a gap."""
    return pieces[0].begin <= gap.begin and all(piece.rate(obis) for piece in pieces)
