"""The cost of energy at one rate, with its parts, and the sums of a period.

measured by quarter   energy x spot price, in integers          only where a rate follows the spot price
measured as a sum     energy x net parts of the rate            everywhere else: one product, however long the period
"""

from collections.abc import Sequence
from decimal import Context, Decimal, localcontext
from operator import mul
from typing import cast

from msgspec import Struct

from iskra_server.cost.amounts import Amount, Parts
from iskra_server.cost.price_columns import SPOT_COLUMN_SCALER
from iskra_server.cost.tariffs import Rate, SpotShare
from iskra_server.meter.obis import EXPORT, Obis
from iskra_server.meter.units import WH_TO_KWH

_DIGITS = 60
_EXACT = Context(prec=_DIGITS)
_ZERO = Decimal(0)


class UsedEnergy(Struct, frozen=True):
    """Energy with a price in Wh, the net cost of the spot price for it, and energy whose spot price is unknown."""

    wh: Decimal
    spot: Decimal = _ZERO
    unpriced_wh: Decimal = _ZERO

    def __add__(self, other: "UsedEnergy") -> "UsedEnergy":
        return UsedEnergy(self.wh + other.wh, _EXACT.add(self.spot, other.spot), self.unpriced_wh + other.unpriced_wh)


def used_at_spot(share: SpotShare, raws: Sequence[int], scaler: int, prices: Sequence[int | None]) -> UsedEnergy:
    """Energy raws[i] x 10^scaler Wh of quarters with these spot prices (price_columns.spot_column)."""
    unknown = 0
    if None in prices:
        unknown = sum(raw for raw, price in zip(raws, prices, strict=True) if price is None)
        known = [(raw, price) for raw, price in zip(raws, prices, strict=True) if price is not None]
        raws, prices = [raw for raw, _ in known], [price for _, price in known]
    at = cast("Sequence[int]", prices)
    whole, product, whole_below, product_below = sum(raws), sum(map(mul, raws, at)), 0, 0
    if at and min(at) < 0:
        below = [(raw, price) for raw, price in zip(raws, at, strict=True) if price < 0]
        whole_below, product_below = sum(raw for raw, _ in below), sum(raw * price for raw, price in below)
    with localcontext(prec=_DIGITS):
        unit = scaler + WH_TO_KWH + SPOT_COLUMN_SCALER
        cost = Decimal(product - product_below).scaleb(unit) * share.factor
        if share.unpaid_when_negative:
            whole -= whole_below
        else:
            cost += Decimal(product_below).scaleb(unit) * share.factor_negative
        return UsedEnergy(Decimal(whole).scaleb(scaler), cost, Decimal(unknown).scaleb(scaler))


def parts_of(rate: Rate, used: UsedEnergy) -> Parts:
    """The cost of energy at a rate, exact."""
    with localcontext(prec=_DIGITS):
        kwh = used.wh.scaleb(WH_TO_KWH)
        if rate.is_gross:
            return Parts(unsplit=kwh * rate.energy)
        energy, grid = kwh * rate.energy + used.spot, kwh * rate.grid
        levies = tuple((name, kwh * price) for name, price in rate.levies)
        net = Parts(energy=energy, grid=grid, levies=levies)
        return Parts(energy=energy, grid=grid, levies=levies, vat=(net.total * rate.vat_percent).scaleb(-2))


class UseOfPeriod:
    """Adds up energy by its rate, so that each rate is multiplied once. Runs share rates: `id` tells them apart."""

    def __init__(self) -> None:
        self._uses: dict[tuple[bool, bool, int], tuple[Rate, UsedEnergy]] = {}

    def add(self, obis: Obis, rate: Rate, used: UsedEnergy, *, is_estimate: bool = False) -> None:
        key = obis == EXPORT, is_estimate, id(rate)
        before = self._uses.get(key)
        self._uses[key] = rate, before[1] + used if before else used

    def __bool__(self) -> bool:
        return bool(self._uses)

    def amount(self) -> Amount:
        total = Amount()
        for (is_export, is_estimate, _), (rate, used) in self._uses.items():
            parts = parts_of(rate, used)
            cost, whole = parts.total, used.wh + used.unpriced_wh
            if is_export:
                total += Amount(
                    exported=cost,
                    unpriced_export_wh=used.unpriced_wh,
                    estimated_export_wh=whole if is_estimate else _ZERO,
                    estimated=-cost if is_estimate else _ZERO,
                )
            else:
                total += Amount(
                    imported=cost,
                    parts=parts,
                    unpriced_import_wh=used.unpriced_wh,
                    estimated_import_wh=whole if is_estimate else _ZERO,
                    estimated=cost if is_estimate else _ZERO,
                )
        return total
