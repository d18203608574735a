"""What a recorded meter has cost by its contracts: piece by piece, each with one price, so that it is exact.

Energy is cut where buckets begin and where prices change. Fees count while history does, up to now.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.amounts import Amount, amount, base_fee
from iskra_server.cost.contracts import Contract, contract_on, contract_periods, contract_year
from iskra_server.cost.forecast import Forecast, MeasuredEnergy, forecast
from iskra_server.history.model.energy import Energies, energy_in_buckets
from iskra_server.history.model.periods import local_midnight
from iskra_server.history.model.records import QUARTER_S, quarter_of
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.web.api.recorded import RecordedMeter

_YEAR = timedelta(days=365) // timedelta(seconds=QUARTER_S)


class Year(Struct, frozen=True):
    """The contract year from quarter `begin` until `end`."""

    begin: int
    end: int
    forecast: Forecast


class Bill:
    """Of a meter, at `now`. Each question may raise StoreError."""

    def __init__(self, meter: RecordedMeter, contracts: Sequence[Contract], now: datetime, tz: ZoneInfo) -> None:
        self._contracts = contracts
        self._tz = tz
        self._today = now.astimezone(tz).date()
        self._first, self._now = meter.first_s // QUARTER_S, quarter_of(now.timestamp())
        counted = [IMPORT, EXPORT] if EXPORT in meter.series() else [IMPORT]
        self._counters = {obis: meter.counter(obis) for obis in counted}

    @property
    def contract(self) -> Contract | None:
        """The one of today."""
        return contract_on(self._contracts, self._today)

    def buckets(self, edges: Sequence[int]) -> list[Amount | None]:
        """Between each edge and the next; None without a contract, or without a measurement."""
        found: dict[int, Amount] = {}
        for begin, piece in self._pieces(edges):
            found[begin] = found.get(begin, Amount()) + piece
        return [found.get(begin) for begin in edges[:-1]]

    def total(self, begin: int, end: int) -> Amount:
        """Of a period, with the energy of its gaps, as far as a gap lies within one price."""
        total = Amount()
        for price in contract_periods(self._contracts, begin, end, self._tz):
            imported, exported = (self._energies(obis, (price.begin, price.end)) for obis in (IMPORT, EXPORT))
            fee = self._fee(price.contract, price.begin, price.end)
            total += amount(price.contract, _total(imported), _total(exported), fee)
        return total

    def year(self) -> Year | None:
        """What the running contract year will cost; None without a contract, or where too little is known."""
        contract = self.contract
        if contract is None:
            return None
        begin, end = (
            quarter_of(local_midnight(day, self._tz).timestamp()) for day in contract_year(contract, self._today)
        )
        so_far = self._span(begin, self._now + 1)
        before = self._span(so_far.last - _YEAR, end - _YEAR) if so_far else None
        found = forecast(contract, (begin, end), so_far, before, self._tz)
        return Year(begin, end, found) if found else None

    def _pieces(self, edges: Sequence[int]) -> Iterator[tuple[int, Amount]]:
        """The edge that a piece belongs to, and what it cost."""
        inside = set(edges)
        begin = edges[0]
        for price in contract_periods(self._contracts, edges[0], edges[-1], self._tz):
            cuts = sorted({price.begin, *(edge for edge in edges if price.begin < edge < price.end), price.end})
            imported, exported = (self._energies(obis, cuts) for obis in (IMPORT, EXPORT))
            for at, (left, right) in enumerate(pairwise(cuts)):
                # a price may begin inside a bucket
                begin = left if left in inside else begin
                imported_wh, exported_wh = (
                    each.buckets[at].energy_wh if each else None for each in (imported, exported)
                )
                if imported_wh is not None or exported_wh is not None:
                    yield (
                        begin,
                        amount(price.contract, imported_wh, exported_wh, self._fee(price.contract, left, right)),
                    )

    def _energies(self, obis: Obis, cuts: Sequence[int]) -> Energies | None:
        """None of a counter that the meter does not have."""
        counter = self._counters.get(obis)
        if counter is None:
            return None
        return energy_in_buckets(cuts, counter.look_up, counter.nearest_before, counter.nearest_after, counter.epochs)

    def _span(self, begin: int, end: int) -> MeasuredEnergy | None:
        """What was measured inside a period, from its first boundary to its last."""
        counter = self._counters[IMPORT]
        first = counter.look_up([begin]).get(begin) or counter.nearest_after(begin)
        last = counter.nearest_before(end + 1)
        if first is None or last is None or first.quarter >= min(last.quarter, end):
            return None
        imported, exported = (self._energies(obis, (first.quarter, last.quarter)) for obis in (IMPORT, EXPORT))
        return MeasuredEnergy(
            first.quarter, last.quarter, _total(imported) or Decimal(0), _total(exported) or Decimal(0)
        )

    def _fee(self, contract: Contract, begin: int, end: int) -> Fraction:
        begin, end = max(begin, self._first), min(end, self._now)
        return base_fee(contract, begin, end, self._tz) if begin < end else Fraction(0)


def _total(energies: Energies | None) -> Decimal | None:
    return energies.total_wh if energies else None
