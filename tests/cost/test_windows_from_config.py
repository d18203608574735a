from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iskra_server.config import WindowConfig
from iskra_server.cost.tariffs import PriceWindow
from iskra_server.cost.windows_from_config import Problems, exact, overlap, windows_of

PATH = "contracts.1.grid.windows"


def window(start: str, end: str, days: str = "mon-sun", months: str = "1-12", name: str = "") -> WindowConfig:
    return WindowConfig(name, months, days, start, end, 0.1)


def problems_of(*windows: WindowConfig) -> list[tuple[str, str]]:
    problems: Problems = []
    windows_of(windows, PATH, problems)
    return [(problem.key, str(problem)) for problem in problems]


def test_times_days_and_months_are_read() -> None:
    problems: Problems = []
    (found,) = windows_of([window("17:00", "21:15", "mon-fri,sun", "1-3,10-12", "HT")], PATH, problems)
    assert problems == []
    assert (found.begin, found.end, found.name, found.price) == (68, 85, "HT", Decimal("0.1"))
    assert found.days == {0, 1, 2, 3, 4, 6} and found.months == {1, 2, 3, 10, 11, 12}


@pytest.mark.parametrize(
    ("start", "end", "slots"),
    [
        ("23:00", "05:00", (92, 116)),
        ("00:00", "24:00", (0, 96)),
        ("22:45", "24:00", (91, 96)),
        ("22:00", "0:00", (88, 96)),
    ],
)
def test_a_window_may_cross_midnight(start: str, end: str, slots: tuple[int, int]) -> None:
    (found,) = windows_of([window(start, end)], PATH, [])
    assert (found.begin, found.end) == slots


def test_ranges_may_go_over_the_end_of_the_week_and_of_the_year() -> None:
    (found,) = windows_of([window("00:00", "01:00", "sat-mon", "11-2")], PATH, [])
    assert found.days == {5, 6, 0} and found.months == {11, 12, 1, 2}


@pytest.mark.parametrize(
    ("wrong", "key", "sentence"),
    [
        (
            window("17:05", "18:00"),
            ".1.from",
            "must be a time in steps of 15 minutes, such as 17:00 or 21:15, not '17:05'",
        ),
        (window("", "18:00"), ".1.from", "not ''"),
        (window("17:00", "24:15"), ".1.to", "must be a time in steps of 15 minutes"),
        (
            window("17:00", "17:00"),
            ".1.to",
            "begins at 17:00 and ends at 17:00; write 00:00 and 24:00 for a whole day.",
        ),
        (window("17:00", "18:00", "mo-fr"), ".1.days", "must be days, such as mon-fri or sat,sun, not 'mo-fr'."),
        (window("17:00", "18:00", months="0-3"), ".1.months", "must be months, such as 1-3,10-12, not '0-3'."),
    ],
)
def test_a_mistake_names_the_key_and_what_is_expected(wrong: WindowConfig, key: str, sentence: str) -> None:
    ((found, text),) = problems_of(wrong)
    assert found == PATH + key and sentence in text


def test_two_windows_that_overlap_are_named() -> None:
    evening, dinner = window("17:00", "21:15", name="HT"), window("21:00", "22:00", name="dinner")
    assert problems_of(evening, dinner) == [
        (
            f"{PATH}.2",
            f"The windows 'HT' and 'dinner' in {PATH} overlap; change from, to, days or months of one of them.",
        )
    ]
    assert (
        "The windows 'contracts.1.grid.windows.1' and 'contracts"
        in problems_of(window("1:00", "2:00"), window("1:00", "2:00"))[0][1]
    )
    assert problems_of(evening, window("21:15", "22:00")) == []


@pytest.mark.parametrize(
    ("first", "second", "do_overlap"),
    [
        (window("22:00", "02:00", "fri"), window("01:00", "03:00", "sat"), True),
        (window("22:00", "02:00", "fri"), window("01:00", "03:00", "fri"), False),
        (window("22:00", "02:00", months="12"), window("00:00", "01:00", months="1"), True),
        (window("22:00", "02:00", months="12"), window("00:00", "01:00", months="2"), False),
        (window("17:00", "18:00", months="1-6"), window("17:00", "18:00", months="7-12"), False),
        (window("17:00", "18:00", "mon-fri"), window("17:00", "18:00", "sat,sun"), False),
    ],
)
def test_windows_over_midnight_reach_into_the_next_day(
    first: WindowConfig, second: WindowConfig, do_overlap: bool
) -> None:
    assert bool(problems_of(first, second)) == bool(problems_of(second, first)) == do_overlap


# each change of months on each day of the week, and a week inside each month
DAYS = [day for number in range(12 * 366) if not 8 < (day := date(2001, 1, 1) + timedelta(days=number)).day < 28]
_slots = st.tuples(st.integers(0, 95), st.integers(1, 96))
_windows = st.builds(
    lambda times, days, months: PriceWindow("", months, days, times[0], sum(times), Decimal(1)),
    _slots,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.frozensets(st.integers(1, 12), min_size=1),
)


@settings(max_examples=30)
@given(_windows, _windows)
def test_windows_overlap_if_a_quarter_of_some_day_lies_in_both(first: PriceWindow, second: PriceWindow) -> None:
    def occupied(window: PriceWindow, day: date) -> range:
        inside = day.month in window.months and day.weekday() in window.days
        shift = day.toordinal() * 96
        return range(shift + window.begin, shift + window.end) if inside else range(0)

    expected = any(
        max(one.start, other.start) < min(one.stop, other.stop)
        for day in DAYS
        for near in (day - timedelta(days=1), day, day + timedelta(days=1))
        if (one := occupied(first, day)) and (other := occupied(second, near))
    )
    assert overlap(first, second) == overlap(second, first) == expected


def test_a_price_has_the_digits_that_were_written() -> None:
    assert [str(exact(price)) for price in (0.0811, 1e-320, 0.1 + 0.2)] == ["0.0811", "0E-12", "0.300000000000"]
