from datetime import date
from decimal import Decimal

from iskra_server.cost.billing_years import billing_years
from iskra_server.cost.contracts import ANY_TIME, Contract

TODAY = date(2026, 11, 27)


def spans(*contracts: Contract, first: date = date(2020, 5, 5)) -> list[tuple[str, str]]:
    return [(str(year.begin), str(year.end)) for year in billing_years(contracts, first, TODAY)]


def test_years_go_from_anniversary_to_anniversary_and_end_with_their_contract() -> None:
    old = Contract(begins=date(2024, 3, 1), name="old")
    new = Contract(begins=date(2025, 5, 15), name="new")
    assert spans(new, old) == [
        ("2024-03-01", "2025-03-01"),
        ("2025-03-01", "2025-05-15"),
        ("2025-05-15", "2026-05-15"),
        ("2026-05-15", "2027-05-15"),
    ]


def test_years_before_the_first_reading_are_left_out() -> None:
    assert spans(Contract(begins=date(2001, 6, 1)), first=date(2025, 6, 1)) == [
        ("2025-06-01", "2026-06-01"),
        ("2026-06-01", "2027-06-01"),
    ]
    assert spans(Contract(begins=ANY_TIME), first=date(2026, 1, 2)) == [("2026-01-01", "2027-01-01")]


def test_a_contract_of_the_future_has_no_year_yet() -> None:
    assert spans(Contract(begins=date(2026, 11, 28))) == []
    now, later = Contract(begins=date(2026, 1, 1)), Contract(begins=date(2026, 12, 1))
    assert spans(now, later) == [("2026-01-01", "2027-01-01")]


def test_an_instalment_is_that_of_its_day() -> None:
    contract = Contract(
        begins=date(2024, 1, 31),
        instalment=Decimal(80),
        later_instalments=((date(2024, 7, 1), Decimal(90)), (date(2025, 1, 31), Decimal(100))),
    )
    first, second, *_ = billing_years([contract], date(2024, 1, 1), TODAY)
    # one a month, on its last day where it is shorter
    assert [str(each.day) for each in first.instalments[:3]] == ["2024-01-31", "2024-02-29", "2024-03-31"]
    assert [each.amount for each in first.instalments] == [80] * 6 + [90] * 6
    assert [each.amount for each in second.instalments] == [100] * 12


def test_a_year_that_ends_early_has_fewer_instalments() -> None:
    old = Contract(begins=date(2026, 1, 1), instalment=Decimal(50))
    new = Contract(begins=date(2026, 4, 1))
    first, second = billing_years([old, new], date(2026, 1, 1), TODAY)
    assert [len(first.instalments), second.instalments] == [3, []]
