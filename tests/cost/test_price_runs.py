from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.cost.contracts import Contract
from iskra_server.cost.price_runs import PriceRun, contract_runs, price_runs
from iskra_server.cost.tariffs import PriceWindow, Rate, Tariff, Terms
from iskra_server.meter.obis import IMPORT, Obis
from web.past import quarter

BERLIN = ZoneInfo("Europe/Berlin")
ALL_MONTHS, ALL_DAYS = frozenset(range(1, 13)), frozenset(range(7))
WINTER = frozenset({1, 2, 3, 10, 11, 12})
HIGH = PriceWindow("HT", WINTER, ALL_DAYS, 17 * 4, 21 * 4 + 1, Decimal("0.15"))
NIGHT = PriceWindow("NT", WINTER, ALL_DAYS, 23 * 4, 29 * 4, Decimal("0.03"))
WEEKEND = PriceWindow("weekend", ALL_MONTHS, frozenset({5, 6}), 0, 96, Decimal("0.05"))


def contract(
    *windows: PriceWindow, begins: date = date(2025, 1, 1), default: str = "0.09", **terms: object
) -> Contract:
    grid = Tariff(Decimal(default), windows)
    return Contract(begins=begins, terms=Terms(energy=Tariff(Decimal(0)), grid=grid, **terms))  # type: ignore[arg-type]


def prices(runs: list[PriceRun]) -> list[tuple[str, Decimal]]:
    """Local time where each run begins, and its grid fee."""
    return [
        (datetime.fromtimestamp(run.begin * 900, BERLIN).strftime("%d %H:%M"), run.imports[0][1].grid) for run in runs
    ]


def day(text: str, days: int = 1) -> tuple[int, int]:
    begin = datetime.fromisoformat(text).replace(tzinfo=BERLIN)
    end = begin.replace(day=begin.day + days)
    return int(begin.timestamp()) // 900, int(end.timestamp()) // 900


def test_a_fixed_price_is_one_run() -> None:
    fixed = Contract(begins=date(2025, 1, 1), energy_price=Decimal("0.30"), feed_in=Decimal("0.08"))
    (run,) = contract_runs(fixed, 0, 35040, BERLIN)
    assert (run.begin, run.end, run.imports[0][0]) == (0, 35040, IMPORT)
    assert (run.imports[0][1].gross(), run.feed_in.gross()) == (Decimal("0.30"), Decimal("0.08"))
    assert contract_runs(fixed, 5, 5, BERLIN) == []


def test_windows_cut_the_local_day() -> None:
    runs = contract_runs(contract(HIGH, NIGHT), *day("2025-01-15"), BERLIN)
    assert prices(runs) == [
        ("15 00:00", Decimal("0.03")),
        ("15 05:00", Decimal("0.09")),
        ("15 17:00", Decimal("0.15")),
        ("15 21:15", Decimal("0.09")),
        ("15 23:00", Decimal("0.03")),
    ]
    assert [run.imports[0][1].window for run in runs] == ["NT", "", "HT", "", "NT"]


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    # until March 31 at 23:00 there are windows: the night of that day ends on April 1
    found = prices(contract_runs(contract(NIGHT), *day("2025-04-01"), BERLIN))
    assert found == [("01 00:00", Decimal("0.03")), ("01 05:00", Decimal("0.09"))]
    found = prices(contract_runs(contract(NIGHT), *day("2025-10-01"), BERLIN))
    assert found == [("01 00:00", Decimal("0.09")), ("01 23:00", Decimal("0.03"))]
    friday = PriceWindow("F", ALL_MONTHS, frozenset({4}), 22 * 4, 26 * 4, Decimal(1))
    found = prices(contract_runs(contract(friday), *day("2025-06-06", 2), BERLIN))
    assert found == [("06 00:00", Decimal("0.09")), ("06 22:00", Decimal(1)), ("07 02:00", Decimal("0.09"))]


def test_windows_over_new_year_with_two_contracts() -> None:
    old = contract(NIGHT, begins=date(2025, 1, 1))
    new = contract(PriceWindow("N", WINTER, ALL_DAYS, 22 * 4, 28 * 4, Decimal("0.02")), begins=date(2026, 1, 1))
    begin = quarter("2025-12-31T20:00:00+01:00")
    found = price_runs([old, new], begin, begin + 10 * 4, BERLIN)
    # the contract of a quarter is that of its day, and so is the window that reaches into it
    assert prices(found) == [
        ("31 20:00", Decimal("0.09")),
        ("31 23:00", Decimal("0.03")),
        ("01 00:00", Decimal("0.02")),
        ("01 04:00", Decimal("0.09")),
    ]
    assert [run.contract for run in found] == [old, old, new, new]


@pytest.mark.parametrize(
    ("date_text", "quarters", "low"),
    # 02:00 to 03:00 does not exist, and is there twice
    [("2025-03-30", 92, 0), ("2025-10-26", 100, 8), ("2025-10-27", 96, 4)],
)
def test_days_on_which_the_clocks_change(date_text: str, quarters: int, low: int) -> None:
    window = PriceWindow("NT", ALL_MONTHS, ALL_DAYS, 8, 12, Decimal("0.01"))
    begin, end = day(date_text)
    runs = contract_runs(contract(window), begin, end, BERLIN)
    assert sum(run.end - run.begin for run in runs) == end - begin == quarters
    assert sum(run.end - run.begin for run in runs if run.imports[0][1].window) == low


def test_the_levies_are_those_of_the_year() -> None:
    levies = ((2025, (("kwkg", Decimal("0.00277")),)), (2026, (("kwkg", Decimal("0.00446")),)))
    new_year = quarter("2026-01-01T00:00:00+01:00")
    runs = contract_runs(contract(levies=levies), new_year - 4, new_year + 4, BERLIN)
    assert [(run.begin - new_year, run.imports[0][1].levies[0][1]) for run in runs] == [
        (-4, Decimal("0.00277")),
        (0, Decimal("0.00446")),
    ]
    early = contract_runs(contract(levies=levies), new_year - 2 * 35040, new_year - 2 * 35040 + 1, BERLIN)
    late = contract_runs(contract(levies=levies), new_year + 2 * 35040, new_year + 2 * 35040 + 1, BERLIN)
    assert [run.imports[0][1].levies[0][1] for run in (*early, *late)] == [Decimal("0.00277"), Decimal("0.00446")]


def test_a_contract_by_registers_has_a_rate_for_each() -> None:
    day_obis, night_obis = Obis.parse("1.8.1"), Obis.parse("1.8.2")
    energy = Tariff(registers=((day_obis, Decimal("0.21")), (night_obis, Decimal("0.17"))))
    terms = Terms(energy=energy, grid=Tariff(Decimal("0.09")), vat_percent=Decimal(19))
    (run,) = contract_runs(Contract(begins=date(2025, 1, 1), terms=terms), 0, 96, BERLIN)
    assert {obis: rate.gross() for obis, rate in run.imports} == {
        day_obis: Decimal("0.30") * Decimal("1.19"),
        night_obis: Decimal("0.26") * Decimal("1.19"),
    }


def slot_price(windows: tuple[PriceWindow, ...], at: int, default: Decimal) -> Decimal:
    """The price of one quarter, looked up in the plainest way."""
    clock = datetime.fromtimestamp(at * 900, BERLIN)
    slot, today = clock.hour * 4 + clock.minute // 15, clock.date()
    yesterday = date.fromordinal(today.toordinal() - 1)
    for window in windows:
        for day_of, place in ((today, slot), (yesterday, slot + 96)):
            if day_of.month in window.months and day_of.weekday() in window.days and window.begin <= place < window.end:
                return window.price
    return default


_spans: Callable[[], st.SearchStrategy[tuple[int, int]]] = lambda: st.tuples(  # noqa: E731
    st.integers(quarter("2024-12-20T00:00:00+01:00"), quarter("2026-11-01T00:00:00+01:00")), st.integers(1, 500)
)


@given(_spans(), st.sampled_from([(HIGH, NIGHT), (WEEKEND,), (NIGHT,)]))
def test_every_quarter_has_the_price_of_its_local_time(span: tuple[int, int], windows: tuple[PriceWindow, ...]) -> None:
    begin, end = span[0], sum(span)
    runs = contract_runs(contract(*windows), begin, end, BERLIN)
    assert [quarter for run in runs for quarter in range(run.begin, run.end)] == list(range(begin, end))
    for run in runs:
        found = {slot_price(windows, at, Decimal("0.09")) for at in range(run.begin, run.end)}
        assert found == {run.imports[0][1].grid}


@given(_spans(), st.integers(0, 500))
def test_a_span_that_is_cut_has_the_same_prices(span: tuple[int, int], cut: int) -> None:
    begin, end = span[0], sum(span)
    middle = min(begin + cut, end)

    def column(first: int, last: int) -> list[Rate]:
        runs = contract_runs(contract(HIGH, NIGHT), first, last, BERLIN)
        return [run.imports[0][1] for run in runs for _ in range(run.begin, run.end)]

    assert column(begin, middle) + column(middle, end) == column(begin, end)
