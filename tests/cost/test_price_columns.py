from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from iskra_server.cost.contracts import Contract, zones_of
from iskra_server.cost.price_columns import (
    PriceColumns,
    Spot,
    no_spot_prices,
    price_columns,
    price_columns_of,
    raw,
    spot_column,
)
from iskra_server.cost.price_runs import contract_runs
from iskra_server.cost.tariffs import PriceWindow, SpotShare, Tariff, Terms
from iskra_server.meter.obis import Obis

UTC = ZoneInfo("UTC")
ZONE = "DE-LU"
ALL_MONTHS, ALL_DAYS = frozenset(range(1, 13)), frozenset(range(7))
NIGHT = PriceWindow("NT", ALL_MONTHS, ALL_DAYS, 92, 116, Decimal("0.0274"))
FIXED = Contract(begins=date(1970, 1, 2), energy_price=Decimal("0.3265"), feed_in=Decimal("0.0811"))


def dynamic(share: SpotShare, feed_in: Tariff | None = None) -> Contract:
    terms = Terms(
        energy=Tariff(Decimal("0.0215"), spot=share),
        grid=Tariff(Decimal("0.0912"), (NIGHT,)),
        levies=((2025, (("tax", Decimal("0.0205")), ("kwkg", Decimal("0.00446")))),),
        vat_percent=Decimal("8.1"),
        feed_in=feed_in or Tariff(),
    )
    return Contract(begins=date(1970, 1, 1), terms=terms)


def spot_of(prices: Mapping[int, int]) -> Spot:
    def spot(zone: str, begin: int, end: int) -> Mapping[int, int]:
        return {quarter: price for quarter, price in prices.items() if begin <= quarter < end} if zone == ZONE else {}

    return spot


def decimals(columns: PriceColumns) -> list[Decimal | None]:
    return [None if price is None else Decimal(price).scaleb(columns.scaler) for price in columns.imports]


def test_a_fixed_price_is_the_same_in_every_quarter_and_there_is_none_before_the_contract() -> None:
    columns = price_columns_of([FIXED], 94, 98, no_spot_prices, UTC)
    assert decimals(columns) == [None, None, Decimal("0.3265"), Decimal("0.3265")]
    assert columns.exports == [None, None, 811, 811] and columns.scaler == -4
    assert price_columns_of([], 0, 2, no_spot_prices, UTC).imports == [None, None]
    # a contract that is compared applies at any time
    assert decimals(price_columns(FIXED, 0, 1, no_spot_prices, UTC)) == [Decimal("0.3265")]


def test_the_price_of_a_quarter_without_a_spot_price_is_unknown() -> None:
    contract = dynamic(SpotShare(ZONE))
    columns = price_columns(contract, 0, 3, spot_of({0: 98_490_000, 2: -1_000_000}), UTC)
    first, second, third = decimals(columns)
    net = Decimal("0.0215") + Decimal("0.0274") + Decimal("0.0205") + Decimal("0.00446")
    assert (first, second, third) == (
        (net + Decimal("0.09849")) * Decimal("1.081"),
        None,
        (net - Decimal("0.001")) * Decimal("1.081"),
    )


def test_an_hour_is_the_mean_of_its_four_quarters_and_unknown_if_one_is() -> None:
    share = SpotShare(ZONE, is_hourly=True)
    prices = spot_of({**{quarter: 10_000_000 + quarter for quarter in range(4, 8)}, 8: 1, 9: 1, 11: 1})
    assert spot_column(share, 6, 10, prices) == [1_000_000_550, 1_000_000_550, None, None]


def test_a_fixed_payment_may_depend_on_the_sign_of_the_spot_price() -> None:
    feed_in = Tariff(Decimal("0.0778"), spot=SpotShare(ZONE, Decimal(0), Decimal(0), unpaid_when_negative=True))
    contract = dynamic(SpotShare("AT"), feed_in)
    columns = price_columns(contract, 0, 4, spot_of({0: -1, 1: 0, 2: 5}), UTC)
    paid = [None if price is None else Decimal(price).scaleb(columns.scaler) for price in columns.exports]
    assert paid == [0, Decimal("0.0778"), Decimal("0.0778"), None]
    assert zones_of([contract, FIXED]) == {ZONE, "AT"}


def test_a_price_that_depends_on_the_register_is_no_price_of_a_quarter() -> None:
    registers = ((Obis.parse("1.8.1"), Decimal("0.3")), (Obis.parse("1.8.2"), Decimal("0.2")))
    contract = Contract(begins=date(2025, 1, 1), terms=Terms(energy=Tariff(registers=registers)))
    assert price_columns(contract, 0, 2, no_spot_prices, UTC).imports == [None, None]


def test_an_integer_holds_every_digit() -> None:
    assert (raw(Decimal("-0.0215"), -6), raw(Decimal("1.5E+3"), -1), raw(Decimal(0), -3)) == (-21500, 15000, 0)


_percentages = st.decimals(-20, 40, places=3)


@given(
    st.lists(st.none() | st.integers(-500_000_000, 4_000_000_000), min_size=1, max_size=200),
    _percentages,
    _percentages,
    st.booleans(),
    st.integers(0, 10_000),
)
def test_columns_are_the_gross_prices_of_the_runs(
    spots: list[int | None], percent: Decimal, percent_negative: Decimal, is_hourly: bool, begin: int
) -> None:
    share = SpotShare(ZONE, 1 + percent / 100, 1 + percent_negative / 100, is_hourly)
    prices = {begin + place: price for place, price in enumerate(spots) if price is not None}
    contract, end = dynamic(share), begin + len(spots)
    expected = []
    for run in contract_runs(contract, begin, end, UTC):
        for at in range(run.begin, run.end):
            hour = [prices.get(quarter) for quarter in (range(at // 4 * 4, at // 4 * 4 + 4) if is_hourly else [at])]
            known = [price for price in hour if price is not None]
            mean = Decimal(sum(known)).scaleb(-9) / len(hour) if len(known) == len(hour) else None
            expected.append(run.imports[0][1].gross(mean))
    assert decimals(price_columns(contract, begin, end, spot_of(prices), UTC)) == expected
