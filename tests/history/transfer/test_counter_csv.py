from zoneinfo import ZoneInfo

import pytest

from iskra_server.history.model.records import Exact
from iskra_server.history.transfer.counter_csv import read_kwh, read_vzlogger
from iskra_server.history.transfer.file_rows import BadRow, CounterReading

BERLIN = ZoneInfo("Europe/Berlin")
TEN_US = 1_795_338_000_000_000


def test_volkszaehler_has_milliseconds_and_watt_hours() -> None:
    lines = [
        "# source: volkszaehler.org\n",
        "# rows: 2\n",
        "1795338000123;10732309.1;1\n",
        "1795338001123;10732309.2\n",
    ]
    assert list(read_vzlogger(lines, None)) == [
        CounterReading(3, TEN_US + 123_000, Exact(107323091, -1)),
        CounterReading(4, TEN_US + 1_123_000, Exact(107323092, -1)),
    ]


def test_a_unit_that_is_given_counts() -> None:
    (reading,) = read_vzlogger(["1795338000123;10732.3091\n"], "kWh")
    assert isinstance(reading, CounterReading)
    assert reading.value == Exact(107323091, -1)


@pytest.mark.parametrize(
    "text",
    [
        "timestamp,kwh\n2026-11-22T10:00:00+01:00,10732.3091\n",
        "2026-11-22 10:00;10732,3091\n",
        "Zeit;Zählerstand [Wh]\n22.11.2026 10:00;10732309,1\n",
        'time\tkWh\n1795338000\t"10732,3091"\n',
        '"time","MWh"\n"1795338000","10.7323091"\n',
        "# a remark\n\n1795338000,10732.3091\n",
    ],
)
def test_two_columns_are_read_whatever_parts_them(text: str) -> None:
    (reading,) = read_kwh(text.splitlines(keepends=True), None, BERLIN)
    assert isinstance(reading, CounterReading)
    assert (reading.at_us, reading.value) == (TEN_US, Exact(107323091, -1))
    assert reading.line == text.count("\n")


def test_the_newest_may_come_first() -> None:
    found = list(read_kwh(["1795338900;2\n", "1795338000;1\n"], None, BERLIN))
    assert [(row.line, row.at_us) for row in found if isinstance(row, CounterReading)] == [
        (2, TEN_US),
        (1, TEN_US + 900_000_000),
    ]


def test_the_repeated_hour_is_told_by_the_counter() -> None:
    found = read_kwh(["25.10.2026 02:00;2\n", "25.10.2026 02:00;1\n"], None, BERLIN)
    assert [row.line for row in found] == [2, 1]


def test_malformed_rows_are_named_and_the_others_are_read() -> None:
    found = list(
        read_kwh(["1795338000;1\n", "x;2\n", "1795338900\n", "1795338900;1;2\n", "1795339800;3\n"], None, BERLIN)
    )
    assert [(row.line, isinstance(row, BadRow)) for row in found] == [
        (2, True),
        (3, True),
        (4, True),
        (1, False),
        (5, False),
    ]


def test_only_the_first_row_can_be_a_header() -> None:
    found = list(read_kwh(["time;kwh\n", "time;kwh\n"], None, BERLIN))
    assert [row.line for row in found if isinstance(row, BadRow)] == [2]
