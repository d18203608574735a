"""What other contracts would have cost: every quarter's own energy at every contract's price of that quarter.

    measured quarters   energy x price, in integers, exact
    gaps                spread over their quarters (compared_energy.py): an estimate, summed apart
    no spot price       in no amount; the difference to the reference leaves out the same energy there
    fees                by days, less the credit of par. 14a EnWG

Each contract is applied to the whole period, wherever it begins. Sums are fractions, to be rounded once.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.amounts import fee_share
from iskra_server.cost.compared_energy import EnergyPiece, Fractions, energy_pieces, months_of
from iskra_server.cost.contract_account import ContractAccount, ContractCost
from iskra_server.cost.contracts import Contract
from iskra_server.cost.price_columns import Spot, whole_hours
from iskra_server.cost.tariffs import Per
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.obis import EXPORT, IMPORT


class MonthEnergy(Struct, frozen=True):
    """From quarter `begin` until before quarter `end`, in Wh: measured by the quarter, and estimated in gaps."""

    begin: int
    end: int
    import_wh: Fraction
    export_wh: Fraction
    estimated_import_wh: Fraction
    estimated_export_wh: Fraction


class Comparison(Struct, frozen=True):
    """From quarter `begin` until before quarter `end`; the first contract is the reference."""

    begin: int
    end: int
    months: list[MonthEnergy]
    contracts: list[ContractCost]

    @property
    def estimated_share(self) -> Fraction:
        """The share of all energy that was not measured by the quarter."""
        estimated = sum(month.estimated_import_wh + month.estimated_export_wh for month in self.months)
        whole = estimated + sum(month.import_wh + month.export_wh for month in self.months)
        return Fraction(estimated) / whole if whole else Fraction(0)

    def difference(self, cost: ContractCost) -> Fraction | None:
        """What a contract costs more than the reference on the same energy; None where that cannot be said."""
        reference = self.contracts[0].total.total
        return None if cost.left_out is None else cost.total.total - (reference - cost.left_out)


def compare(
    meter: RecordedMeter, contracts: Sequence[Contract], span: tuple[int, int], spot: Spot, tz: ZoneInfo
) -> Comparison:
    """The first contract is the reference. Both ends of `span` have readings (`measured_span`). Raises StoreError."""
    months = months_of(span, tz)
    accounts = [ContractAccount(contract, months, tz) for contract in contracts]
    energies = [[Fraction(0)] * (len(months) - 1) for _ in range(4)]
    for piece in energy_pieces(meter, span, [obis for account in accounts for obis in account.contract.registers], tz):
        energies = [
            [left + right for left, right in zip(*pair, strict=True)]
            for pair in zip(energies, _energies(piece), strict=True)
        ]
        known, reference = _CachedSpot(spot), None
        for account in accounts:
            priced = account.add(piece, known, reference)
            reference = reference or priced

    @cache
    def shares(per: Per) -> Fractions:
        one = Decimal(1)
        return [fee_share(one, per, begin, end, tz) for begin, end in pairwise(months)]

    periods = zip(pairwise(months), zip(*energies, strict=True), strict=True)
    costs = [account.close(shares) for account in accounts]
    return Comparison(*span, [MonthEnergy(*period, *energy) for period, energy in periods], costs)


def _energies(piece: EnergyPiece) -> list[Fractions]:
    measured = [piece.measured_wh(obis) for obis in (IMPORT, EXPORT)]
    return measured + [piece.estimated_wh(obis) for obis in (IMPORT, EXPORT)]


class _CachedSpot:
    """Spot prices of one piece: contracts of the same zone ask for the same ones."""

    def __init__(self, spot: Spot) -> None:
        self._spot = spot
        self._known: dict[tuple[str, int, int], Mapping[int, int]] = {}

    def __call__(self, zone: str, begin: int, end: int) -> Mapping[int, int]:
        # whole hours: some contracts ask for them, others for the quarters inside
        key = zone, *whole_hours(begin, end)
        if key not in self._known:
            self._known[key] = self._spot(*key)
        return self._known[key]
