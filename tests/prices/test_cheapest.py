from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from iskra_server.prices.cheapest import CheapestHours, cheapest, cheapest_hours

FIRST = 1_000_000


def test_the_cheapest_hours_begin_at_any_quarter() -> None:
    prices = {FIRST + number: Decimal(5) for number in range(16)}
    prices |= {FIRST + number: Decimal(-1) for number in range(3, 7)}
    assert cheapest_hours(prices, FIRST) == [
        CheapestHours(1, FIRST + 3, FIRST + 7, Decimal(-4)),
        CheapestHours(2, FIRST, FIRST + 8, Decimal(16)),
        CheapestHours(3, FIRST, FIRST + 12, Decimal(36)),
        CheapestHours(4, FIRST, FIRST + 16, Decimal(56)),
    ]
    assert cheapest_hours(prices, FIRST)[1].mean == Decimal(2)


def test_hours_never_span_a_gap_and_those_that_do_not_fit_are_absent() -> None:
    prices = {FIRST + number: Decimal(1) for number in range(12) if number != 5}
    assert [found.hours for found in cheapest_hours(prices, FIRST)] == [1]
    assert cheapest(prices, FIRST + 2, 1) == CheapestHours(1, FIRST + 6, FIRST + 10, Decimal(4))
    assert cheapest_hours({}, FIRST) == []


@given(
    st.dictionaries(st.integers(FIRST - 8, FIRST + 60), st.decimals(-100, 100, places=2), max_size=69),
    st.integers(1, 4),
)
def test_it_is_the_best_of_all(prices: dict[int, Decimal], hours: int) -> None:
    windows = [
        (sum(prices[quarter] for quarter in range(begin, begin + 4 * hours)), begin)
        for begin in range(FIRST, FIRST + 61)
        if all(quarter in prices for quarter in range(begin, begin + 4 * hours))
    ]
    found = cheapest(prices, FIRST, hours)
    assert (found and (found.total, found.begin)) == min(windows, default=None)
