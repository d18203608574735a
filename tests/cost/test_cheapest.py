from decimal import Decimal

from iskra_server.cost.cheapest import CheapHours, cheapest_hours


def test_each_length_has_its_own_cheapest_quarters() -> None:
    prices = [9] * 10 + [1, 2, 3, 4] + [8] * 10 + [-5] + [9] * 8
    one, two, three, four = cheapest_hours(prices, 1000, -2)
    assert one == CheapHours(1, 1010, 1014, Decimal("0.025"))
    assert (two.begin, two.end) == (1010, 1018)
    assert (three.begin, four.begin) == (1010, 1009)


def test_the_earliest_of_equal_ones() -> None:
    assert cheapest_hours([7] * 20, 0, 0)[0] == CheapHours(1, 0, 4, Decimal(7))


def test_an_unknown_price_is_in_none() -> None:
    prices = [5, 5, None, 1, 1, 1, None, 6, 6, 6, 6]
    assert cheapest_hours(prices, 0, 0) == [CheapHours(1, 7, 11, Decimal(6))]
    assert cheapest_hours([], 0, 0) == [] == cheapest_hours([None] * 9, 0, 0)


def test_negative_prices_are_cheapest() -> None:
    assert cheapest_hours([1] * 4 + [-1] * 4 + [1] * 4, 0, -2)[0].mean_price == Decimal("-0.01")
