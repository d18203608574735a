from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from iskra_server.cost.contracts import (
    Contract,
    ContractPeriod,
    contract_on,
    contract_periods,
    contract_year,
    contracts_of,
)
from web.past import quarter

BERLIN = ZoneInfo("Europe/Berlin")
OLD = Contract(begins=date(2024, 3, 1), energy_price=Decimal("0.40"))
NEW = Contract(begins=date(2025, 3, 1), energy_price=Decimal("0.30"))
MARCH = quarter("2025-03-01T00:00:00+01:00")


def test_a_contract_holds_until_the_next_one_begins() -> None:
    found = list(contract_periods([NEW, OLD], MARCH - 8, MARCH + 8, BERLIN))
    assert found == [ContractPeriod(MARCH - 8, MARCH, OLD), ContractPeriod(MARCH, MARCH + 8, NEW)]


def test_before_the_first_contract_there_is_no_price() -> None:
    assert list(contract_periods([NEW], MARCH - 8, MARCH - 4, BERLIN)) == []
    assert list(contract_periods([NEW], MARCH - 8, MARCH + 4, BERLIN)) == [ContractPeriod(MARCH, MARCH + 4, NEW)]
    assert list(contract_periods([], MARCH, MARCH + 4, BERLIN)) == []


def test_a_contract_that_is_still_to_come_changes_nothing_today() -> None:
    assert list(contract_periods([OLD, NEW], MARCH - 8, MARCH - 4, BERLIN)) == [
        ContractPeriod(MARCH - 8, MARCH - 4, OLD)
    ]
    assert contract_on([NEW, OLD], date(2025, 2, 28)) == OLD
    assert contract_on([NEW, OLD], date(2025, 3, 1)) == NEW
    assert contract_on([NEW], date(2025, 2, 28)) is None


@pytest.mark.parametrize(
    ("begins", "today", "year"),
    [
        ((2025, 3, 1), (2025, 3, 1), ((2025, 3, 1), (2026, 3, 1))),
        ((2020, 3, 1), (2026, 2, 28), ((2025, 3, 1), (2026, 3, 1))),
        ((2024, 2, 29), (2026, 2, 28), ((2025, 3, 1), (2026, 3, 1))),
        ((2024, 2, 29), (2028, 3, 1), ((2028, 2, 29), (2029, 3, 1))),
    ],
)
def test_a_contract_year_goes_from_one_anniversary_to_the_next(
    begins: tuple[int, int, int], today: tuple[int, int, int], year: tuple[tuple[int, int, int], tuple[int, int, int]]
) -> None:
    contract = Contract(begins=date(*begins), energy_price=Decimal(0))
    assert contract_year(contract, date(*today)) == (date(*year[0]), date(*year[1]))


def test_a_meter_of_a_solar_plant_has_only_contracts_that_name_it() -> None:
    contracts = [Contract(begins=date(2025, 1, 1)), Contract(begins=date(2026, 1, 1), meter="1ISK0020000001")]
    name = "1 ISK 00 20000001"
    assert contracts_of(contracts, name, "") == contracts
    assert contracts_of(contracts, name, "", is_production=True) == contracts[1:]
