"""What a contract year will cost: what was measured, and for the rest what the year before says, else the mean so far.

An estimate is no reading: it is rounded to whole watt-hours, and says what it was made of.
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
# what of the same part of the year before must be measured to stand for the rest of this one
_ENOUGH = Fraction(9, 10)
# less than this says nothing about a year: a week, in quarters
_LEAST = 7 * 96


class MeasuredEnergy(Struct, frozen=True):
    """Energy between the quarters `first` and `last`, as far as it was measured."""

    first: int
    last: int
    import_wh: Decimal
    export_wh: Decimal = Decimal(0)

    @property
    def length(self) -> int:
        return self.last - self.first


class Forecast(Struct, frozen=True):
    """Of the contract year; `import_wh` and `export_wh` are measured and estimated together."""

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
    """`year` are the quarters where it begins and ends, `before` is the rest of it a year ago.

    None where too little is known.
    """
    if so_far is None or so_far.length <= 0:
        return None
    begin, end = year
    rest = end - so_far.last
    has_before = before is not None and rest > 0 and before.length >= _ENOUGH * rest
    if not has_before and so_far.length < _LEAST:
        return None
    model = before if has_before and before else so_far
    import_wh, export_wh = (
        measured + _estimated(mean, so_far.length, so_far.first - begin) + _estimated(like, model.length, rest)
        for measured, mean, like in (
            (so_far.import_wh, so_far.import_wh, model.import_wh),
            (so_far.export_wh, so_far.export_wh, model.export_wh),
        )
    )
    fee = base_fee(contract, begin, end, tz)
    return Forecast(
        "year_before" if has_before else "mean", import_wh, export_wh, amount(contract, import_wh, export_wh, fee)
    )


def _estimated(energy_wh: Decimal, of: int, length: int) -> Decimal:
    """The energy of so many quarters as it was in `of` of them; Wh, whole."""
    return Decimal(round(Fraction(energy_wh) * max(length, 0) / of))
