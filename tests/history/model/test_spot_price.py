from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.history.model.spot_price import (
    FIRST_QUARTERLY,
    MAX_EUR_MWH,
    begins_at,
    delivery_day,
    eur_mwh,
    quarters_of_days,
    raw_price,
)


@given(st.decimals(-MAX_EUR_MWH, MAX_EUR_MWH, places=2))
def test_a_price_with_two_decimals_comes_back_as_it_was_published(price: Decimal) -> None:
    assert eur_mwh(raw_price(price)) == price
    assert eur_mwh(raw_price(price)).as_tuple().exponent == -2


def test_more_decimals_are_kept_up_to_six() -> None:
    assert str(eur_mwh(raw_price(Decimal("98.4905")))) == "98.4905"
    # of a source that calculates with floats
    assert str(eur_mwh(raw_price(Decimal("98.49000000000001")))) == "98.49"
    assert str(eur_mwh(raw_price(Decimal("-0.000001")))) == "-0.000001"


@pytest.mark.parametrize("text", ["100000.01", "-1E+6", "NaN", "Infinity"])
def test_what_no_market_allows_is_no_price(text: str) -> None:
    with pytest.raises(ValueError, match="is no price in EUR/MWh"):
        raw_price(Decimal(text))


def test_a_delivery_day_has_96_quarters_but_where_the_clocks_change() -> None:
    days = date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 25)
    assert [len(quarters_of_days(day, day.replace(day=day.day + 1))) for day in days] == [96, 92, 100]


def test_quarters_have_prices_of_their_own_since_october_2025() -> None:
    assert f"{begins_at(FIRST_QUARTERLY):%Y-%m-%dT%H:%MZ}" == "2025-09-30T22:00Z"
    assert delivery_day(FIRST_QUARTERLY * 900) == date(2025, 10, 1)
    assert delivery_day(FIRST_QUARTERLY * 900 - 1) == date(2025, 9, 30)
