from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from iskra_server.config import ConfigError, ContractConfig, load
from iskra_server.cost.from_config import contracts_from_config

FILE = """
[[contracts]]
begins = 2024-01-01
energy_price = 0.3999

[[contracts]]
begins = 2025-01-01
name = "Green"
energy_price = 0.3265
base_fee = 11.9
feed_in = 0.0811
instalment = 80
"""


def test_prices_have_the_digits_that_were_written(tmp_path: Path) -> None:
    file = tmp_path / "iskra-server.toml"
    file.write_text(FILE)
    old, new = contracts_from_config(load({}, file).contracts)
    assert (old.energy_price, old.begins) == (Decimal("0.3999"), date(2024, 1, 1))
    prices = new.energy_price, new.base_fee, new.feed_in, new.instalment
    assert prices == tuple(map(Decimal, ("0.3265", "11.9", "0.0811", "80")))
    assert (new.name, new.currency, new.base_fee_per) == ("Green", "EUR", "month")


def test_a_price_has_no_more_digits_than_any_bill() -> None:
    (only,) = contracts_from_config(
        [ContractConfig(energy_price=1e-320, base_fee=0.1 + 0.2, feed_in=0.08, instalment=1e9)]
    )
    assert (only.energy_price, only.base_fee) == (Decimal(0), Decimal("0.3"))
    assert (str(only.feed_in), only.instalment) == ("0.08", Decimal(10**9))


def test_one_contract_may_come_from_the_environment() -> None:
    (only,) = contracts_from_config(load({"IES_CONTRACTS_ENERGY_PRICE": "0.3265"}).contracts)
    assert (only.energy_price, only.begins) == (Decimal("0.3265"), date(1970, 1, 1))


def test_without_a_contract_there_is_none() -> None:
    assert contracts_from_config(load({}).contracts) == ()


def test_contracts_have_one_currency() -> None:
    with pytest.raises(ConfigError, match="not CHF and EUR"):
        contracts_from_config([ContractConfig(), ContractConfig(date(2025, 1, 1), currency="CHF")])


def test_two_contracts_of_a_meter_do_not_begin_on_one_day() -> None:
    with pytest.raises(ConfigError, match="begin on 1970-01-01"):
        contracts_from_config([ContractConfig(), ContractConfig(meter="1 ISK 00 12345678")])
    contracts_from_config([ContractConfig(meter="1 ISK 00 1"), ContractConfig(meter="1 ISK 00 2")])


@pytest.mark.parametrize(
    "other", ["1ISK0012345678", "1 isk 00 12345678", "090149534b0000bc614e", "09 01 49 53 4B 00 00 BC 61 4E"]
)
def test_a_meter_is_the_same_however_it_is_written(other: str) -> None:
    with pytest.raises(ConfigError, match="begin on 1970-01-01"):
        contracts_from_config([ContractConfig(meter="1 ISK 00 12345678"), ContractConfig(meter=other)])
