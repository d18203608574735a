from datetime import UTC, datetime
from decimal import Decimal

import pytest

from iskra_server.simulator import d0_lists
from iskra_server.simulator.household import INSTALLED, Household
from iskra_server.simulator.simulated_meter import MeterAtSecond

# early in a year, because a household is computed from New Year on
JANUARY_2021 = int(datetime(2021, 1, 10, 12, tzinfo=UTC).timestamp())
JANUARY_2029 = int(datetime(2029, 1, 10, 12, tzinfo=UTC).timestamp())


def at(second: int) -> MeterAtSecond:
    household = Household(1, 5000, second)
    return MeterAtSecond(10_000_001, household.at(second), 1, household)


@pytest.mark.parametrize(
    ("tenths", "digits", "decimals", "text"),
    [(0, 7, 3, "0000000.000*kWh"), (334_022_649, 7, 3, "0033402.264*kWh"), (168_599, 6, 2, "000016.85*kWh")],
)
def test_counters_are_cut_off(tenths: int, digits: int, decimals: int, text: str) -> None:
    assert d0_lists.kwh(tenths, digits, decimals) == text


@pytest.mark.parametrize(
    ("watt", "digits", "decimals", "text"), [(908, 1, 3, "0.908*kW"), (1196, 4, 2, "0001.20*kW"), (4, 2, 2, "00.00*kW")]
)
def test_powers_are_rounded(watt: int, digits: int, decimals: int, text: str) -> None:
    assert d0_lists.kw(watt, digits, decimals) == text


def test_months_before_the_household_are_empty_slots() -> None:
    lines = d0_lists.mt174(at(INSTALLED + 70 * 86_400))
    months = [line.partition("(")[2] for line in lines if line.startswith("1-0:1.8.0*") and "*255" not in line]
    assert [month == ")" for month in months] == [False] * 3 + [True] * 12


def test_the_history_of_an_me172_runs_in_a_ring_whose_newest_is_the_number_of_billings() -> None:
    for second in (JANUARY_2021, JANUARY_2029):
        lines = d0_lists.me172(at(second))
        (billings,) = [line[6:-1] for line in lines if line.startswith("0.1.0(")]
        places = [line[6:8] for line in lines if line.startswith("1.8.0*")]
        assert places[0] == billings and len(places) == 6
        assert [int(place) for place in places] == [(int(billings) - past) % 100 for past in range(6)]


def test_a_single_register_answers_as_the_readout_says() -> None:
    register = d0_lists.registers(d0_lists.mt174(at(JANUARY_2021)))
    assert Decimal(register("1.8.0")[1:-5]) > 0 and register("1.8.0").endswith("*kWh)")
    assert register("1.7.0").endswith("*kW)")
    assert register("61.7.0") == "(ERROR)"
