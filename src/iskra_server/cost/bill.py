"""What a recorded meter's energy has cost under its contracts.

A period is cut where buckets begin and where prices change, so that each piece has one price and its amount is exact.
Base fees count from the first reading in history until now.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.cost.amounts import Amount, base_fee
from iskra_server.cost.contracts import Contract, ContractPeriod, contract_on, contract_periods, contract_year
from iskra_server.cost.credit import bucket_credits
from iskra_server.cost.forecast import Forecast, MeasuredEnergy, forecast
from iskra_server.cost.metered_use import MeteredUse
from iskra_server.cost.price_columns import Spot
from iskra_server.cost.price_runs import contract_runs, price_runs, registers_of
from iskra_server.history.model.energy import energy_in_buckets
from iskra_server.history.model.periods import first_quarter
from iskra_server.history.model.records import QUARTER_S, quarter_of
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.obis import EXPORT, IMPORT, Obis

_NOTHING = Amount()
_YEAR = timedelta(days=365) // timedelta(seconds=QUARTER_S)


class Year(Struct, frozen=True):
    """The contract year from quarter `begin` until `end`."""

    begin: int
    end: int
    forecast: Forecast


class Bill:
    """The bill of one meter at the time `now`. Each method may raise StoreError."""

    def __init__(
        self,
        meter: RecordedMeter,
        contracts: Sequence[Contract],
        now: datetime,
        tz: ZoneInfo,
        spot: Spot | None = None,
    ) -> None:
        """`spot` stands in for the spot prices that the database of the meter holds."""
        self._contracts = contracts
        self._tz = tz
        self._spot = spot or meter.spot_raws
        self._runs = partial(price_runs, contracts, tz=tz)
        self._today = now.astimezone(tz).date()
        self._first, self._now = meter.first_s // QUARTER_S, quarter_of(now.timestamp())
        needed = {IMPORT, EXPORT} | {obis for contract in contracts for obis in registers_of(contract)}
        known = needed & set(meter.series()) | {IMPORT}
        self._counters = {obis: meter.counter(obis) for obis in sorted(known)}

    @property
    def contract(self) -> Contract | None:
        """Today's contract."""
        return contract_on(self._contracts, self._today)

    def buckets(self, edges: Sequence[int]) -> list[Amount | None]:
        """The amount between each edge and the next; None without a contract or without a measurement.

        A gap over the edge of a bucket is in none of them.
        """
        return self.costs(edges)[0]

    def total(self, begin: int, end: int) -> Amount:
        """The amount of a period; includes the energy of gaps that lie within it."""
        return self.costs((begin, end))[1]

    def costs(self, edges: Sequence[int]) -> tuple[list[Amount | None], Amount]:
        """The amounts of `buckets`, and the `total` from the first edge to the last."""
        use = MeteredUse(self._counters, self._runs, edges, self._spot, self._tz)
        periods = list(contract_periods(self._contracts, edges[0], edges[-1], self._tz))
        ends = [period.end for period in periods]
        credits = self._credits(periods, edges)
        amounts: list[Amount | None] = []
        for place, (begin, end) in enumerate(pairwise(edges)):
            inside = periods[bisect_right(ends, begin) : bisect_left(ends, end) + 1]
            measured = [
                (max(begin, period.begin), min(end, period.end), period.contract)
                for period in inside
                if use.is_measured(place, period.contract)
            ]
            fees = self._fees(measured) + credits[place] if measured else Amount()
            amounts.append(use.buckets[place].amount() + fees if measured or use.buckets[place] else None)
        fees = self._fees([(period.begin, period.end, period.contract) for period in periods])
        return amounts, sum((credit for credit in credits if credit is not _NOTHING), start=use.whole.amount() + fees)

    def year(self) -> Year | None:
        """The forecast of the current contract year; None without a contract, or with too little history."""
        contract = self.contract
        if contract is None:
            return None
        begin, end = (first_quarter(day, self._tz) for day in contract_year(contract, self._today))
        so_far = self._span(begin, self._now + 1)
        before = self._span(so_far.last - _YEAR, end - _YEAR) if so_far else None
        if so_far and contract.terms:
            so_far = replace(so_far, cost=self._cost(contract, so_far))
        prediction = forecast(contract, (begin, end), so_far, before, self._tz)
        return Year(begin, end, prediction) if prediction else None

    def _cost(self, contract: Contract, energy: MeasuredEnergy) -> Amount:
        runs = partial(contract_runs, contract, tz=self._tz)
        return MeteredUse(self._counters, runs, (energy.first, energy.last), self._spot, self._tz).whole.amount()

    def _fees(self, parts: Sequence[tuple[int, int, Contract]]) -> Amount:
        return Amount(base=sum((self._fee(contract, begin, end) for begin, end, contract in parts), Fraction(0)))

    def _credits(self, periods: Sequence[ContractPeriod], edges: Sequence[int]) -> list[Amount]:
        """The credit of par. 14a EnWG in each bucket."""
        credits = [_NOTHING] * (len(edges) - 1)
        for period in periods:
            if period.contract.grid_credit:
                span = period.begin, min(period.end, self._now)
                found = bucket_credits(
                    self._counters,
                    period.contract,
                    span,
                    edges,
                    first=self._first,
                    spot=self._spot,
                    tz=self._tz,
                )
                for place, amount in found:
                    credits[place] += Amount(base=-amount, credit=amount)
        return credits

    def _span(self, begin: int, end: int) -> MeasuredEnergy | None:
        """The energy between the first and the last quarter reading in a period."""
        outermost = self._counters[IMPORT].outermost(begin, end)
        if outermost is None:
            return None
        first, last = (reading.quarter for reading in outermost)
        imported, exported = (self._energy(obis, first, last) for obis in (IMPORT, EXPORT))
        return MeasuredEnergy(first, last, imported, exported)

    def _energy(self, obis: Obis, begin: int, end: int) -> Decimal:
        """0 if the meter does not have this counter."""
        counter = self._counters.get(obis)
        if counter is None:
            return Decimal(0)
        lookups = counter.look_up, counter.nearest_before, counter.nearest_after
        return energy_in_buckets((begin, end), *lookups, counter.epochs).total_wh or Decimal(0)

    def _fee(self, contract: Contract, begin: int, end: int) -> Fraction:
        begin, end = max(begin, self._first), min(end, self._now)
        return base_fee(contract, begin, end, self._tz) if begin < end else Fraction(0)
