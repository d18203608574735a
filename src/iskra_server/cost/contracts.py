"""Contracts, and the periods in which the prices of one contract apply.

    contracts        |---- A ----|-------- B ----->        a contract begins where the one before ends
    periods       |..|-----|-----|-----|                   of a span of time: none before the first contract

Within such a period the price may change by the quarter of an hour: price_runs.py.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.tariffs import Fee, Per, Pricing, SpotShare, Terms
from iskra_server.history.model.periods import first_quarter
from iskra_server.meter.identity import compact_name
from iskra_server.meter.obis import Obis

if TYPE_CHECKING:
    # for its type alone: contracts are checked without a history
    from iskra_server.history.store.recorded_meter import RecordedMeter

# the beginning of an offer, and of a contract that has none configured
ANY_TIME = date(1970, 1, 1)
# the most variable last
_PRICINGS: tuple[Pricing, ...] = ("fixed", "windows", "registers", "spot")


class Contract(Struct, frozen=True, kw_only=True):
    """Applies from the day `begins` on, in the server's time zone. Prices are per kWh in `currency`, exact.

    `energy_price` and `feed_in` are gross and fixed; where `terms` says how a price is made up, they are 0.
    `meter` is the label of its meter, with or without spaces, or its server id; empty: every meter.
    `grid_credit` is that of par. 14a EnWG, module 1, per year. `instalment` is that of a month until the first of
    `later_instalments`, which are in the order of their days.
    """

    begins: date
    energy_price: Decimal = Decimal(0)
    name: str = ""
    meter: str = ""
    currency: str = "EUR"
    feed_in: Decimal = Decimal(0)
    base_fee: Decimal = Decimal(0)
    base_fee_per: Per = "month"
    instalment: Decimal = Decimal(0)
    later_instalments: tuple[tuple[date, Decimal], ...] = ()
    terms: Terms | None = None
    further_fees: tuple[Fee, ...] = ()
    grid_credit: Decimal = Decimal(0)

    @property
    def fees(self) -> tuple[Fee, ...]:
        own = (Fee("supplier", self.base_fee, self.base_fee_per),) if self.base_fee else ()
        return (*own, *self.further_fees)

    def instalment_on(self, day: date) -> Decimal:
        """The instalment of a month that was due on a day."""
        return next((amount for begin, amount in reversed(self.later_instalments) if begin <= day), self.instalment)

    @property
    def registers(self) -> tuple[Obis, ...]:
        """The tariff registers that its energy from the grid is counted by; none where it goes by 1.8.0."""
        return tuple(obis for obis, _ in self.terms.energy.registers or self.terms.grid.registers) if self.terms else ()

    @property
    def pricing(self) -> Pricing:
        """How its most variable price changes."""
        if self.terms is None:
            return "fixed"
        shares = spot_shares(self)
        tariffs = self.terms.energy, self.terms.grid, self.terms.feed_in
        return "spot" if shares else max((tariff.pricing for tariff in tariffs), key=_PRICINGS.index)

    @property
    def is_fixed(self) -> bool:
        """Whether it has one price for import and one for export at all times of a year."""
        return self.pricing == "fixed"

    @property
    def is_import_fixed(self) -> bool:
        """Whether it has one price for import at all times of a year."""
        return self.terms is None or self.terms.energy.pricing == self.terms.grid.pricing == "fixed"

    @property
    def is_export_fixed(self) -> bool:
        """Whether it has one price for export at all times."""
        return self.terms is None or self.terms.feed_in.pricing == "fixed"


class ContractPeriod(Struct, frozen=True):
    """From quarter `begin` until before quarter `end` the prices of one contract apply."""

    begin: int
    end: int
    contract: Contract


def contract_periods(contracts: Sequence[Contract], begin: int, end: int, tz: ZoneInfo) -> Iterator[ContractPeriod]:
    """The periods from quarter `begin` until before `end`, in order; there is none before the first contract."""
    ordered = sorted(contracts, key=lambda contract: contract.begins)
    starts = [first_quarter(contract.begins, tz) for contract in ordered]
    for contract, (start, next_start) in zip(ordered, pairwise([*starts, end]), strict=True):
        first, last = max(start, begin), min(max(next_start, start), end)
        if first < last:
            yield ContractPeriod(first, last, contract)


def spot_shares(contract: Contract) -> list[SpotShare]:
    """The parts of its prices that depend on a spot price."""
    terms = contract.terms
    return [tariff.spot for tariff in (terms.energy, terms.feed_in) if tariff.spot] if terms else []


def zones_of(contracts: Iterable[Contract]) -> frozenset[str]:
    """The zones whose spot prices are needed."""
    return frozenset(share.zone for contract in contracts for share in spot_shares(contract))


def contracts_of(
    contracts: Iterable[Contract], meter_id: str, server_id: str, *, is_production: bool = False
) -> list[Contract]:
    """Those of a meter, `server_id` in hex.

    Of a meter that measures what a solar plant produces, only those that name it: nobody buys its energy twice.
    """
    own = {compact_name(meter_id), server_id} - {""}
    names = own if is_production else own | {""}
    return [contract for contract in contracts if compact_name(contract.meter) in names]


def contracts_of_meter(contracts: Iterable[Contract], meter: "RecordedMeter") -> list[Contract]:
    """Those of a meter that history has."""
    return contracts_of(contracts, meter.id, meter.server_id, is_production=meter.is_production)


def contract_on(contracts: Sequence[Contract], today: date) -> Contract | None:
    """The contract that applies on a day."""
    begun = [contract for contract in contracts if contract.begins <= today]
    return max(begun, key=lambda contract: contract.begins) if begun else None


def contract_year(contract: Contract, today: date) -> tuple[date, date]:
    """First day of the contract year that a day is in, and of the next: anniversaries of the beginning."""
    begin = anniversary(contract.begins, today.year)
    if begin > today:
        begin = anniversary(contract.begins, today.year - 1)
    return begin, anniversary(contract.begins, begin.year + 1)


def anniversary(day: date, year: int) -> date:
    """The anniversary of February 29 is March 1."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 3, 1)
