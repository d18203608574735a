"""What a contract year will cost: measured energy, and for the rest that of the year before, else the mean so far.

An estimate is no reading: it is rounded to whole watt-hours, and names its basis.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.amounts import Amount, amount, base_fee
from iskra_server.cost.contracts import Contract

Basis = Literal["year_before", "mean"]
MONTHS = 12
# so much of the same part of the year before must be measured to be the basis
_ENOUGH = Fraction(9, 10)
# a mean of less than a week is no basis; in quarters
_MIN_LENGTH = 7 * 96


class MeasuredEnergy(Struct, frozen=True):
    """Energy between quarters `first` and `last`, as far as it was measured."""

    first: int
    last: int
    import_wh: Decimal
    export_wh: Decimal = Decimal(0)

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

    None where too little was measured.
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
    fee = base_fee(contract, begin, end, tz)
    return Forecast(
        "year_before" if has_before else "mean", import_wh, export_wh, amount(contract, import_wh, export_wh, fee)
    )


def _scaled(energy_wh: Decimal, measured: int, length: int) -> Decimal:
    """The energy of `length` quarters by that of `measured` quarters, in whole Wh."""
    return Decimal(round(Fraction(energy_wh) * max(length, 0) / measured))
