from collections.abc import Callable, Sequence
from fractions import Fraction

from iskra_server.cost.compared_energy import EnergyPiece
from iskra_server.cost.gap_spread import Spread
from iskra_server.cost.priced_energy import PricedEnergy
from iskra_server.history.model.quarter_energy import EnergyColumn, RawGap
from samples import IMPORT

MONTHS = (-2, 0, 4, 8)
Prices = tuple[Sequence[int | None], int]


def piece(*spreads: Spread) -> EnergyPiece:
    """Two months of four quarters each after an earlier one, in Wh."""
    column = EnergyColumn(0, 0, [1, 2, 3, 4, 5, 6, 7, 8], [RawGap(spread.begin, 0, 0) for spread in spreads])
    return EnergyPiece((0, 4, 8), (0, 4, 8), MONTHS, {IMPORT: column}, {IMPORT: list(spreads)})


def prices(*column: int | None) -> Callable[[int, int], Prices]:
    """From quarter -2 on, in tenths."""
    return lambda begin, end: (column[begin + 2 : end + 2], -1)


def test_costs_are_of_all_months_of_the_comparison() -> None:
    priced = PricedEnergy(piece(), IMPORT, prices(0, 0, *[10] * 4, *[20] * 4))
    assert priced.costs() == [0, Fraction(10, 1000), Fraction(52, 1000)]
    assert priced.priced_wh() == [0, 10, 26]
    assert priced.price_sum() == (Fraction(12), 8)


def test_a_quarter_without_a_price_counts_in_no_amount() -> None:
    priced = PricedEnergy(piece(), IMPORT, prices(0, 0, None, *[10] * 6, None))
    assert priced.costs() == [0, Fraction(9, 1000), Fraction(18, 1000)]
    assert priced.priced_wh() == [0, 9, 18]
    assert priced.unpriced_wh() == [0, 1, 8]
    assert priced.price_sum() == (Fraction(6), 6)
    everywhere = PricedEnergy(piece(), IMPORT, prices(*[20] * 10))
    assert everywhere.cost_where_unknown(priced) == Fraction(2 * 9, 1000)


def test_a_gap_before_the_piece_asks_for_its_prices() -> None:
    spread = Spread(-2, 0, [4, 8, 0])
    priced = PricedEnergy(piece(spread), IMPORT, prices(10, 40, *[10] * 8))
    assert priced.estimated_costs() == [Fraction(4 * 1 + 8 * 4, 1000), 0, 0]
    unknown = PricedEnergy(piece(spread), IMPORT, prices(10, None, *[10] * 8))
    # the quarter with a price counts
    assert unknown.estimated_costs() == [Fraction(4, 1000), 0, 0]
    assert unknown.unpriced_wh() == [8, 0, 0]
    assert priced.cost_where_unknown(unknown) == Fraction(8 * 4, 1000)
