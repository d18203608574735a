from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from iskra_server.cost.amounts import Amount, Parts, base_fee, energy_cost, round_fraction
from iskra_server.cost.contracts import Contract
from web.past import quarter

BERLIN = ZoneInfo("Europe/Berlin")
CONTRACT = Contract(
    begins=date(2020, 1, 1), energy_price=Decimal("0.3265"), feed_in=Decimal("0.082"), base_fee=Decimal("11.90")
)
YEARLY = Contract(begins=date(2020, 1, 1), energy_price=Decimal(0), base_fee=Decimal("146.4"), base_fee_per="year")


def test_energy_times_price_is_exact() -> None:
    assert energy_cost(Decimal("107323090.1"), Decimal("0.3265")) == Decimal("35040.98891765")
    assert energy_cost(Decimal("0.1"), Decimal("0.0001")) == Decimal("0.00000001")


def test_export_is_subtracted_from_the_total() -> None:
    amount = Amount(Decimal("0.3265"), Decimal("0.041"), Fraction(1))
    assert amount.total == Decimal("1.2855")
    assert (amount + amount).total == Decimal("2.571")


def test_the_levies_of_two_amounts_are_added_by_their_name() -> None:
    one = Parts(energy=Decimal(1), levies=(("tax", Decimal(2)),), vat=Decimal(3))
    other = Parts(unsplit=Decimal(4), grid=Decimal(5), levies=(("kwkg", Decimal(6)), ("tax", Decimal(7))))
    both = one + other
    assert dict(both.levies) == {"tax": 9, "kwkg": 6} and both.levies_total == 15
    assert both.total == one.total + other.total == 28


def test_a_month_costs_its_fee_whatever_its_length_and_whatever_its_clocks_do() -> None:
    months = [quarter(f"2025-{month:02}-01T00:00:00+0{offset}:00") for month, offset in
              ((1, 1), (2, 1), (3, 1), (4, 2), (5, 2))]  # fmt: skip
    for begin, end in pairwise(months):
        assert base_fee(CONTRACT, begin, end, BERLIN) == Fraction("11.90")


def test_a_year_costs_its_fee_and_a_day_of_it_a_part() -> None:
    begin, end = quarter("2024-01-01T00:00:00+01:00"), quarter("2025-01-01T00:00:00+01:00")
    assert base_fee(YEARLY, begin, end, BERLIN) == Fraction("146.4")
    assert round_fraction(base_fee(YEARLY, begin, begin + 96, BERLIN)) == Decimal("0.4")


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 3000))
def test_the_parts_of_a_period_cost_as_much_as_the_whole(at: int, one: int, other: int) -> None:
    begin = quarter("2025-03-28T00:00:00+01:00") + at
    whole = base_fee(CONTRACT, begin, begin + one + other, BERLIN)
    parts = base_fee(CONTRACT, begin, begin + one, BERLIN), base_fee(CONTRACT, begin + one, begin + one + other, BERLIN)
    assert sum(parts) == whole
