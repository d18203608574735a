"""Which spot prices are fetched, and what cannot be."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from iskra_server.base.address import Address
from iskra_server.config import (
    Config,
    ConfigError,
    ContractConfig,
    EnergyConfig,
    HistoryConfig,
    OfferConfig,
    SpotPricesConfig,
)
from iskra_server.cost.price_plan import price_plan
from iskra_server.runtime.plan import plan_of


def config(contracts: Sequence[ContractConfig] = (), offers: Sequence[OfferConfig] = (), **keys: Any) -> Config:
    return Config(contracts=tuple(contracts), offers=tuple(offers), prices=SpotPricesConfig(**keys))


def test_nobody_asks_for_prices() -> None:
    assert plan_of(Config()).prices is None


def test_the_configured_zone_and_those_of_contracts_and_offers() -> None:
    spot = EnergyConfig(kind="spot", zone="AT")
    contract = ContractConfig(begins=date(2026, 1, 1), energy=spot, vat_percent=20)
    offer = OfferConfig(name="Green", energy=EnergyConfig(kind="spot", zone="CH"), vat_percent=8)
    plan = price_plan(config(zone="DE-LU", contracts=(contract,), offers=(offer,)))
    assert plan and plan.zones == ("DE-LU", "AT", "CH")
    assert price_plan(config(contracts=(contract,))) == price_plan(config(zone="AT")) != plan


def test_a_contract_without_spot_prices_asks_for_none() -> None:
    assert price_plan(config(contracts=(ContractConfig(energy_price=0.3),))) is None


def test_a_file_may_have_any_zone() -> None:
    plan = price_plan(config(zone="GB", file=Address("/data/prices.json")))
    assert plan and plan.zones == ("GB",)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"zone": "DE"}, "'DE' is not a zone whose spot prices a source has; known are AT, BE, CH, "),
        (
            {"zone": "FR", "energy_charts_url": Address()},
            "'FR' is not a zone whose spot prices a source has; known are AT, DE-LU.",
        ),
        (
            {"zone": "AT", "energy_charts_url": Address(), "smard_url": Address(), "awattar_url": Address()},
            "Spot prices need a source; remove one of the empty addresses from [prices].",
        ),
        (
            {"zone": "AT", "smard_url": Address("smard.de")},
            "prices.smard_url is 'smard.de'; it must be an address such as https://example.org/prices.",
        ),
        (
            {"zone": "AT", "file": Address("https://me:hush@:99999/")},
            "prices.file is 'https://me:***@:99999/'; it must be an address such as https://example.org/prices.",
        ),
    ],
)
def test_what_cannot_be_fetched_is_said_in_one_sentence(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        plan_of(config(**keys))
    assert str(refused.value).startswith(sentence)


def test_prices_need_history() -> None:
    with pytest.raises(ConfigError, match=r"^Spot prices of AT need history\.enabled: they are stored there\."):
        plan_of(Config(history=HistoryConfig(enabled=False), prices=SpotPricesConfig(zone="AT")))
