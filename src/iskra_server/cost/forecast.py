"""What a contract year will cost: measured energy, and for the rest that of the year before, else the mean so far.

An estimate is no reading: it is rounded to whole watt-hours, and names its basis.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.amounts import Amount, base_fee, energy_cost, grid_cost, grid_credit, round_fraction
from iskra_server.cost.contracts import Contract
from iskra_server.cost.price_runs import contract_runs
from iskra_server.history.model.periods import QUARTERS_OF_DAY

Basis = Literal["year_before", "mean"]
# so much of the same part of the year before must be measured to be the basis
_ENOUGH = Fraction(9, 10)
# a mean of less than a week is no basis; in quarters
_MIN_LENGTH = 7 * QUARTERS_OF_DAY


class MeasuredEnergy(Struct, frozen=True):
    """Energy between quarters `first` and `last`, as far as it was measured; `cost` is what it has cost, if known."""

    first: int
    last: int
    import_wh: Decimal
    export_wh: Decimal = Decimal(0)
    cost: Amount | None = None

    @property
    def length(self) -> int:
        return self.last - self.first


class Forecast(Struct, frozen=True):
    """Of a contract year; `import_wh` and `export_wh` are measured plus estimated energy."""

    basis: Basis
    import_wh: Decimal
    export_wh: Decimal
    amount: Amount


def forecast(
    contract: Contract,
    year: tuple[int, int],
    so_far: MeasuredEnergy | None,
    before: MeasuredEnergy | None,
    tz: ZoneInfo,
) -> Forecast | None:
    """`year` is the first quarter of the contract year and the first after it; `before` is the rest of it a year ago.

    None where too little was measured, or no price of what was measured is known.
    """
    if so_far is None or so_far.length <= 0:
        return None
    begin, end = year
    rest = end - so_far.last
    has_before = before is not None and rest > 0 and before.length >= _ENOUGH * rest
    if not has_before and so_far.length < _MIN_LENGTH:
        return None
    model = before if has_before and before else so_far
    import_wh, export_wh = (
        measured + _scaled(measured, so_far.length, so_far.first - begin) + _scaled(expected, model.length, rest)
        for measured, expected in ((so_far.import_wh, model.import_wh), (so_far.export_wh, model.export_wh))
    )
    amount = _amount(contract, year, so_far, (import_wh, export_wh), tz)
    return Forecast("year_before" if has_before else "mean", import_wh, export_wh, amount) if amount else None


def _amount(
    contract: Contract, year: tuple[int, int], so_far: MeasuredEnergy, energy: tuple[Decimal, Decimal], tz: ZoneInfo
) -> Amount | None:
    """A price that is made up of parts counts as measured so far, and with its mean for all energy without a price."""
    fee = base_fee(contract, *year, tz)
    if contract.terms is None:
        return Amount(
            energy_cost(energy[0], contract.energy_price), energy_cost(energy[1], contract.feed_in), fee, Fraction(0)
        )
    cost = so_far.cost or Amount()
    (run, *_) = contract_runs(contract, so_far.first, so_far.last, tz)
    imported = _cost(cost.imported, energy[0], so_far.import_wh, cost.unpriced_import_wh, run.imports[0][1].gross())
    exported = _cost(cost.exported, energy[1], so_far.export_wh, cost.unpriced_export_wh, run.feed_in.gross())
    if imported is None or exported is None:
        return None
    credit = Fraction(0)
    if contract.grid_credit and so_far.cost:
        priced_wh = so_far.import_wh - cost.unpriced_import_wh
        net = Fraction(energy[0]) * Fraction(cost.parts.grid) / Fraction(priced_wh) if priced_wh else Fraction(0)
        credit = min(grid_credit(contract, *year, tz), grid_cost(contract, net, *year, tz))
    return Amount(imported, exported, fee - credit, credit)


def _cost(
    paid: Decimal, energy_wh: Decimal, measured_wh: Decimal, unpriced_wh: Decimal, first_price: Decimal | None
) -> Decimal | None:
    """Of a year's energy: what was paid, and the rest at its mean price, or where nothing was measured at the first."""
    priced_wh = measured_wh - unpriced_wh
    rest = Fraction(energy_wh - priced_wh)
    if not rest:
        return paid
    if priced_wh:
        mean = Fraction(paid) / Fraction(priced_wh)
    elif unpriced_wh or first_price is None:
        return None
    else:
        mean = Fraction(first_price) / 1000
    return paid + round_fraction(rest * mean)


def _scaled(energy_wh: Decimal, measured: int, length: int) -> Decimal:
    """The energy of `length` quarters by that of `measured` quarters, in whole Wh."""
    return Decimal(round(Fraction(energy_wh) * max(length, 0) / measured))
