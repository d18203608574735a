from decimal import Decimal
from zoneinfo import ZoneInfo

from iskra_server.cost.dynamic_offer import DynamicOffer
from iskra_server.cost.price_columns import price_columns
from iskra_server.cost.tariffs import Tariff


def test_the_levies_of_2026_are_the_defaults() -> None:
    assert sum(price for name, price in DynamicOffer("DE-LU").levies if name in {"kwkg", "offshore", "special"}) == (
        Decimal("0.02946")
    )


def test_its_price_is_the_sum_of_its_parts_and_the_tax() -> None:
    offer = DynamicOffer("DE-LU", markup=Decimal("0.01"), grid_fee=Decimal("0.08"))
    contract = offer.contract("CHF", Tariff(Decimal("0.08")))
    # 100 EUR/MWh
    columns = price_columns(contract, 0, 1, lambda *_: {0: 100_000_000}, ZoneInfo("UTC"))
    gross = (Decimal("0.10") + Decimal("0.09") + Decimal("0.06586")) * Decimal("1.19")
    assert columns.imports[0] is not None and columns.exports[0] is not None
    assert Decimal(columns.imports[0]).scaleb(columns.scaler) == gross
    assert Decimal(columns.exports[0]).scaleb(columns.scaler) == Decimal("0.08")
    assert contract.pricing == "spot" and contract.currency == "CHF" and contract.base_fee == 6
