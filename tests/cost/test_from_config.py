from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from iskra_server.config import (
    ConfigError,
    ContractConfig,
    EnergyConfig,
    FeedInConfig,
    GridConfig,
    OfferConfig,
    WindowConfig,
    load,
)
from iskra_server.cost.from_config import contract_findings, contracts_from_config, offers_from_config
from iskra_server.cost.tariffs import Fee

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
        contracts_from_config([ContractConfig(), ContractConfig(begins=date(2025, 1, 1), currency="CHF")])


def test_spot_prices_are_in_euros() -> None:
    spot = EnergyConfig(kind="spot", zone="CH")
    with pytest.raises(ConfigError, match=r"contracts\.1 needs spot prices, which are in EUR; .* is CHF"):
        contracts_from_config([ContractConfig(currency="CHF", energy=spot)])
    # only the sign counts
    unpaid = FeedInConfig(price=0.08, zone="CH", unpaid_when_negative=True)
    assert contracts_from_config([ContractConfig(currency="CHF", energy_price=0.3, feed_in_terms=unpaid)])


def test_a_contract_begins_within_years_that_can_be_calculated_with() -> None:
    for day in date(1, 1, 1), date.max:
        with pytest.raises(ConfigError, match=r"contracts\.1\.begins .* 1970 to 2999"):
            contracts_from_config([ContractConfig(begins=day)])


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


NET = ContractConfig(energy=EnergyConfig(price=0.2), vat_percent=19.0)


def test_a_contract_has_fees_of_the_grid_and_of_the_meter_too() -> None:
    (only,) = contracts_from_config(
        [ContractConfig(base_fee=5.99, grid_fee=60.0, metering_fee=2.5, metering_fee_per="month")]
    )
    assert only.fees == (
        Fee("supplier", Decimal("5.99"), "month"),
        Fee("grid", Decimal("60"), "year"),
        Fee("metering", Decimal("2.5"), "month"),
    )


def test_a_contract_says_how_its_price_changes() -> None:
    night = WindowConfig(from_="22:00", to="06:00")
    by_time = GridConfig(kind="windows", windows=(night,), module=1, credit=146.2)
    contracts = [
        ContractConfig(energy_price=0.3),
        NET,
        ContractConfig(energy=EnergyConfig(price=0.2), grid=by_time),
        ContractConfig(energy=EnergyConfig(kind="registers", prices={"1.8.1": 0.2})),
        ContractConfig(energy=EnergyConfig(kind="spot", zone="AT")),
    ]
    found = [contracts_from_config([contract])[0] for contract in contracts]
    assert [contract.pricing for contract in found] == ["fixed", "fixed", "windows", "registers", "spot"]
    assert [contract.is_fixed for contract in found] == [True, True, False, False, False]
    assert [contract.is_import_fixed for contract in found] == [True, True, False, False, False]
    assert all(contract.is_export_fixed for contract in found)
    assert found[2].grid_credit == Decimal("146.2")


def test_an_offer_applies_at_any_time_and_has_a_name_of_its_own() -> None:
    contracts = contracts_from_config([ContractConfig(name="Green", currency="CHF")])
    (offer,) = offers_from_config([OfferConfig(name="Dynamic", energy_price=0.2)], contracts)
    assert (offer.begins, offer.currency, offer.energy_price) == (date(1970, 1, 1), "CHF", Decimal("0.2"))
    with pytest.raises(ConfigError, match=r"offers\.1\.name is missing"):
        offers_from_config([OfferConfig()])
    with pytest.raises(ConfigError, match=r"offers\.1\.name is 'Green', which is used before"):
        offers_from_config([OfferConfig(name="Green")], contracts)


def test_all_findings_of_contracts_and_offers_are_there() -> None:
    night = WindowConfig(from_="22:10", to="06:00")
    wrong = ContractConfig(
        energy=EnergyConfig(kind="windows", default=0.2, windows=(night,), zone="AT"), vat_percent=19.0
    )
    old = ContractConfig(
        begins=date(2020, 1, 1),
        energy=EnergyConfig(price=0.2),
        levies={"2026": {"tax": 0.0205}},
        grid=GridConfig(module=1),
    )
    findings = contract_findings([wrong, old], [OfferConfig()], date(2027, 1, 1))
    assert [(finding.level, finding.key) for finding in findings] == [
        ("error", "contracts.1.energy.zone"),
        ("error", "contracts.1.energy.windows.1.from"),
        ("error", "offers.1.name"),
        ("warning", "contracts.2.vat_percent"),
        ("warning", "contracts.2.levies"),
        ("warning", "contracts.2.grid.credit"),
        ("warning", "offers.1.energy_price"),
        ("warning", "contracts.1.begins"),
    ]
    begun = replace(NET, begins=date(2026, 1, 1))
    assert contract_findings([begun], [], date(2027, 1, 1)) == []


def test_instalments_that_changed_have_their_days() -> None:
    instalments = {"2026-07-01": 95.0, "2026-03-01": 90.5}
    entry = ContractConfig(begins=date(2026, 1, 1), energy_price=0.3, instalment=85.0, instalments=instalments)
    (contract,) = contracts_from_config([entry])
    days = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 6, 30), date(2026, 12, 1)]
    assert [contract.instalment_on(day) for day in days] == [85, Decimal("90.5"), Decimal("90.5"), 95]
    for wrong in ({"2025-12-31": 1.0}, {"July": 1.0}, {"20260701": 1.0}, {"2026-07-01": -1.0}):
        with pytest.raises(ConfigError, match=r"contracts\.1\.instalments\.\S+ must be a day such as 2026-07-01"):
            contracts_from_config([replace(entry, instalments=wrong)])


def test_a_zone_that_no_source_has_is_probably_not_meant() -> None:
    spot = [
        ContractConfig(begins=date(2026, 1, 1), energy=EnergyConfig(kind="spot", zone=zone), vat_percent=19.0)
        for zone in ("DE-LU", "DE")
    ]
    assert contract_findings(spot[:1], [], date(2027, 1, 1)) == []
    (finding,) = contract_findings(spot[1:], [], date(2027, 1, 1))
    assert (finding.level, finding.key) == ("warning", "contracts.1") and "the zone 'DE'" in finding.sentence


def test_a_first_contract_of_the_future_is_told() -> None:
    (finding,) = contract_findings([ContractConfig(begins=date(2027, 6, 1), energy_price=0.3)], [], date(2027, 1, 1))
    assert (finding.level, finding.key) == ("warning", "contracts.1.begins")
    assert finding.sentence.startswith("contracts.1.begins is 2027-06-01, and no contract begins before")
