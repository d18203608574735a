import pytest

from iskra_server.config import ContractConfig, EnergyConfig, FeedInConfig, GridConfig, OfferConfig, WindowConfig
from iskra_server.cost.doubtful_values import doubtful_values

USUAL = ContractConfig(energy_price=0.3265, feed_in=0.0811, base_fee=11.9, grid_fee=60.0, instalment=85.0)
WINDOW = WindowConfig(from_="22:00", to="06:00", price=14.9)


def keys(contract: ContractConfig | OfferConfig, currency: str = "EUR") -> list[str]:
    return [finding.key.removeprefix("contracts.1.") for finding in doubtful_values(contract, currency, "contracts.1")]


def sentence(contract: ContractConfig) -> str:
    (finding,) = doubtful_values(contract, contract.currency, "contracts.1")
    assert finding.level == "warning"
    return finding.sentence


def test_usual_values_are_not_doubted() -> None:
    by_time = EnergyConfig(kind="windows", default=0.195, windows=(WindowConfig(price=-0.02),))
    spot = EnergyConfig(kind="spot", zone="DE-LU", percent=3.0, fixed=0.0215)
    assert keys(USUAL) == keys(ContractConfig(energy=by_time, vat_percent=19.0)) == []
    assert keys(OfferConfig(energy=spot, vat_percent=19.0, levies={"2026": {"kwkg": 0.00446}})) == []
    # only feeds in
    assert keys(ContractConfig(feed_in=0.08)) == []


def test_cents_for_euros_are_told_with_what_to_write() -> None:
    assert sentence(ContractConfig(energy_price=32.65)) == (
        "contracts.1.energy_price is 32.65 EUR for one kWh; if these are cents, write 0.3265."
    )
    parts = ContractConfig(
        energy=EnergyConfig(kind="windows", default=19.5, windows=(WINDOW,)),
        grid=GridConfig(price=9.12),
        feed_in_terms=FeedInConfig(price=8.11),
        levies={"tax": 2.05, "2026": {"offshore": 9.41}},
        vat_percent=19.0,
    )
    assert keys(parts) == [
        *("energy.default", "energy.windows.1.price", "grid.price", "feed_in.price", "levies.tax"),
        "levies.2026.offshore",
    ]
    by_register = EnergyConfig(kind="registers", prices={"1.8.1": 22.1})
    assert keys(ContractConfig(energy=by_register, vat_percent=19.0)) == ["energy.prices.1.8.1"]


def test_a_kwh_may_cost_three_kronor() -> None:
    assert keys(ContractConfig(energy_price=3.2), "SEK") == []


def test_a_price_that_is_far_too_low_is_told() -> None:
    assert "check the decimal places" in sentence(ContractConfig(energy_price=0.003265))


@pytest.mark.parametrize(("written", "meant"), [(0.19, "19"), (0.077, "7.7")])
def test_a_share_for_a_percentage_is_told(written: float, meant: str) -> None:
    found = sentence(ContractConfig(energy=EnergyConfig(price=0.2), vat_percent=written))
    assert found.endswith(f"if you mean {meant} %, write {meant}.")
    spot = EnergyConfig(kind="spot", zone="DE-LU", percent=0.03)
    assert keys(ContractConfig(energy=spot, vat_percent=19.0)) == ["energy.percent"]


def test_a_missing_price_is_told() -> None:
    by_time = EnergyConfig(kind="windows", windows=(WindowConfig(price=0.1),))
    assert keys(ContractConfig(base_fee=11.0)) == ["energy_price"]
    assert keys(ContractConfig(energy=EnergyConfig(), vat_percent=19.0)) == ["energy.price"]
    assert keys(ContractConfig(energy=by_time, vat_percent=19.0)) == ["energy.default"]


def test_fees_in_cents_or_for_another_period_are_told() -> None:
    contract = ContractConfig(energy_price=0.3, base_fee=1190.0, grid_fee=6000.0, instalment=8500.0)
    assert keys(contract) == ["base_fee", "grid_fee", "instalment"]
    assert keys(ContractConfig(energy_price=0.3, base_fee=142.8, base_fee_per="year")) == []
