"""One register's energy of a piece at one contract's prices, in integers, with what has no price apart."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from fractions import Fraction
from operator import mul, sub
from typing import cast

from msgspec.structs import replace

from iskra_server.cost.compared_energy import EnergyPiece, Fractions, power_of_ten
from iskra_server.cost.gap_spread import Spread
from iskra_server.history.model.periods import QUARTERS_OF_DAY
from iskra_server.meter.obis import Obis
from iskra_server.meter.units import WH_TO_KWH

# a day on which the clocks go forward has so many quarters
_MIN_DAY = QUARTERS_OF_DAY - 4

# the price of each quarter from one until before another, None where it is unknown, and their scaler
PricesOf = Callable[[int, int], tuple[Sequence[int | None], int]]


class PricedEnergy:
    """`prices_of` is asked for the quarters of the piece, and for those of a gap that begins before it.

    `unknown_gaps` have the energy of quarters without a price alone.
    """

    def __init__(self, piece: EnergyPiece, obis: Obis, prices_of: PricesOf) -> None:
        self._piece, self._column = piece, piece.columns[obis]
        self._measured_wh = piece.measured_wh(obis)
        prices, self._scaler = prices_of(piece.first, piece.end)
        # places of quarters without a price
        self.unknown = [place for place, price in enumerate(prices) if price is None] if None in prices else []
        known = [price or 0 for price in prices] if self.unknown else prices
        self._prices = cast("Sequence[int]", known)
        self._gaps: dict[int, tuple[Spread, Sequence[int], int]] = {}
        self.unknown_gaps: list[Spread] = []
        for spread in piece.spreads[obis]:
            self._add_gap(spread, prices, prices_of)

    def costs(self) -> Fractions:
        """Of measured quarters."""
        raws, prices = self._column.raws, self._prices
        sums = [sum(map(mul, raws[place], prices[place])) for place in self._piece.slices(self._piece.months)]
        return self._piece.by_month(sums, self._unit)

    def estimated_costs(self) -> Fractions:
        """Of gaps."""
        sums = [Fraction(0)] * (len(self._piece.all_months) - 1)
        for spread, prices, scaler in self._gaps.values():
            unit = self._gap_unit(spread, scaler)
            for month, place in self._piece.parts(spread):
                sums[month] += unit * sum(map(mul, spread.raws[place], prices[place]))
        return sums

    def priced_wh(self) -> Fractions:
        """The measured energy that `costs` is for."""
        energies, unit = self._measured_wh[:], power_of_ten(self._column.scaler)
        for place in self.unknown:
            if raw := self._column.raws[place]:
                energies[bisect_right(self._piece.all_months, self._piece.first + place) - 1] -= unit * raw
        return energies

    def unpriced_wh(self) -> Fractions:
        """The energy without a price, that of gaps included."""
        energies = [Fraction(0)] * len(self._measured_wh)
        if self.unknown:
            energies = [whole - priced for whole, priced in zip(self._measured_wh, self.priced_wh(), strict=True)]
        for spread in self.unknown_gaps:
            unit = power_of_ten(spread.scaler)
            for month, place in self._piece.parts(spread):
                energies[month] += unit * sum(spread.raws[place])
        return energies

    def cost_where_unknown(self, other: "PricedEnergy") -> Fraction:
        """What the energy that has no price there costs here."""
        raws, prices = self._column.raws, self._prices
        cost = self._unit * sum(raws[place] * prices[place] for place in other.unknown)
        for spread in other.unknown_gaps:
            _, known, scaler = self._gaps[spread.begin]
            cost += self._gap_unit(spread, scaler) * sum(map(mul, spread.raws, known))
        return cost

    def price_sum(self) -> tuple[Fraction, int]:
        """The sum of all known prices of a kWh, and their number."""
        return power_of_ten(self._scaler) * sum(self._prices), len(self._prices) - len(self.unknown)

    def saved_by_shifting(self) -> Fraction:
        """What 1 kWh a day, taken evenly from the use of the day, saves in the cheapest quarter of the day."""
        one_kwh = 10 ** max(-WH_TO_KWH - self._column.scaler, 0)
        unknown, saved = set(self.unknown), 0
        for place in self._piece.slices(self._piece.days):
            raws, prices = self._column.raws[place], self._prices[place]
            used = sum(raws)
            if used > 0 and len(raws) >= _MIN_DAY and unknown.isdisjoint(range(place.start, place.stop)):
                dearer = sum(map(mul, raws, prices)) - min(prices) * used
                saved += min(one_kwh, used) * dearer // used
        return self._unit * saved

    @property
    def _unit(self) -> Fraction:
        return power_of_ten(self._column.scaler + self._scaler + WH_TO_KWH)

    def _gap_unit(self, spread: Spread, scaler: int) -> Fraction:
        return power_of_ten(spread.scaler + scaler + WH_TO_KWH)

    def _add_gap(self, spread: Spread, prices: Sequence[int | None], prices_of: PricesOf) -> None:
        place, scaler = spread.begin - self._column.first, self._scaler
        known = prices[place : place + len(spread.raws)]
        if place < 0:
            known, scaler = prices_of(spread.begin, spread.end)
        if None in known:
            unpriced = [raw if price is None else 0 for raw, price in zip(spread.raws, known, strict=True)]
            self.unknown_gaps.append(replace(spread, raws=unpriced))
            spread = replace(spread, raws=list(map(sub, spread.raws, unpriced)))
            known = [price or 0 for price in known]
        self._gaps[spread.begin] = spread, cast("Sequence[int]", known), scaler
