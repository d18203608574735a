from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.history.model.records import INT64_MAX, Exact
from iskra_server.history.transfer.file_rows import (
    BadRow,
    CounterReading,
    DatedReading,
    parse_energy,
    sort_readings,
)

VALUE = Exact(1, 0)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("10732309.1", "Wh", Exact(107323091, -1)),
        ("10732,3091", "kWh", Exact(107323091, -1)),
        (" 10732 ", "kWh", Exact(10732, 3)),
        ("0.0107", "MWh", Exact(107, 2)),
        ("1e-05", "kWh", Exact(1, -2)),
        ("12.50", "Wh", Exact(1250, -2)),
        ("0", "wh", Exact(0, 0)),
        ("-0.0", "Wh", Exact(0, -1)),
    ],
)
def test_a_number_keeps_every_digit(text: str, unit: str, value: Exact) -> None:
    assert parse_energy(text, unit) == value


@given(st.integers(0, INT64_MAX), st.integers(0, 9))
def test_any_decimal_is_read_exactly(raw: int, places: int) -> None:
    number = Decimal(raw).scaleb(-places)
    assert parse_energy(f"{number:f}", "kWh").decimal == number * 1000


@pytest.mark.parametrize("text", ["", "abc", "1.234,5", "1 234", "nan", "1e999", "0x10", "٣", "."])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        parse_energy(text, "Wh")


def test_a_number_that_no_counter_shows_is_refused() -> None:
    with pytest.raises(ValueError, match="'-1' is below zero"):
        parse_energy("-1", "Wh")
    with pytest.raises(ValueError, match="more digits than history can store"):
        parse_energy(str(INT64_MAX + 1), "Wh")


def test_readings_are_sorted_by_time() -> None:
    dated = [DatedReading(line, "", (at_us,), VALUE) for line, at_us in enumerate((30, 10, 20))]
    assert list(sort_readings(dated)) == [
        CounterReading(line, at_us, VALUE) for line, at_us in ((1, 10), (2, 20), (0, 30))
    ]


def test_in_a_repeated_hour_the_lower_value_came_first() -> None:
    high, low = DatedReading(1, "02:00", (10, 70), Exact(5, 3)), DatedReading(2, "02:00", (10, 70), Exact(499, 1))
    assert list(sort_readings([high, low])) == [CounterReading(2, 10, low.value), CounterReading(1, 70, high.value)]


def test_a_single_reading_in_a_repeated_hour_is_wrong() -> None:
    (bad,) = sort_readings([DatedReading(7, "25.10.2026 02:30", (10, 70), VALUE)])
    assert isinstance(bad, BadRow)
    assert bad.line == 7
    assert "'25.10.2026 02:30' came twice" in bad.reason
