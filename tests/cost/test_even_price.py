from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from iskra_server.cost.contracts import Contract
from iskra_server.cost.even_price import even_price
from iskra_server.cost.price_columns import no_spot_prices
from iskra_server.cost.tariffs import PriceWindow, SpotShare, Tariff, Terms

UTC = ZoneInfo("UTC")
CONTRACT = Contract(begins=date(2026, 1, 1), energy_price=Decimal("0.3265"))


def test_a_fixed_price_is_its_own_mean_also_before_the_contract() -> None:
    assert even_price(CONTRACT, 0, 96, no_spot_prices, UTC) == Decimal("0.3265")


def test_windows_count_by_their_length() -> None:
    half = PriceWindow("night", frozenset(range(1, 13)), frozenset(range(7)), 0, 48, Decimal("0.10"))
    contract = Contract(begins=date(2026, 1, 1), terms=Terms(energy=Tariff(Decimal("0.30"), (half,))))
    assert even_price(contract, 0, 96, no_spot_prices, UTC) == Decimal("0.20")


def test_quarters_without_a_spot_price_do_not_count() -> None:
    contract = Contract(begins=date(2026, 1, 1), terms=Terms(energy=Tariff(Decimal(0), spot=SpotShare("AT"))))
    assert even_price(contract, 0, 96, no_spot_prices, UTC) is None
    prices = {0: 100_000_000, 1: 200_000_000}
    assert even_price(contract, 0, 96, lambda *_: prices, UTC) == Decimal("0.15")


def test_a_span_without_quarters_has_none() -> None:
    assert even_price(CONTRACT, 5, 5, no_spot_prices, UTC) is None
