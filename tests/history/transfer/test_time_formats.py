from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from iskra_server.history.transfer.time_formats import parse_time

BERLIN = ZoneInfo("Europe/Berlin")


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 10**6)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1795338000", "2026-11-22T09:00:00+00:00"),
        ("1795338000.5", "2026-11-22T09:00:00.500000+00:00"),
        ("1795338000123", "2026-11-22T09:00:00.123000+00:00"),
        ("2026-11-22T10:00:00+01:00", "2026-11-22T09:00:00+00:00"),
        ("2026-11-22t09:00:00z", "2026-11-22T09:00:00+00:00"),
        ("2026-11-22 10:00:00.1234567 +0100", "2026-11-22T09:00:00.123456+00:00"),
        ("2026-11-22 10:00", "2026-11-22T09:00:00+00:00"),
        ("2026-07-01T10:00:00", "2026-07-01T08:00:00+00:00"),
        ("22.11.2026 10:00", "2026-11-22T09:00:00+00:00"),
        ("1.7.2026, 10:00:01", "2026-07-01T08:00:01+00:00"),
    ],
)
def test_a_time_is_read_as_people_and_programs_write_it(text: str, moment: str) -> None:
    assert parse_time(text, BERLIN) == (us(moment),)


def test_a_time_of_the_repeated_hour_stands_for_two_moments() -> None:
    both = us("2026-10-25T02:30:00+02:00"), us("2026-10-25T02:30:00+01:00")
    assert parse_time("2026-10-25 02:30", BERLIN) == both
    assert parse_time("2026-10-25T02:30:00+01:00", BERLIN) == both[1:]


def test_a_time_that_the_clock_skipped_is_refused() -> None:
    with pytest.raises(ValueError, match="'2026-03-29 02:30' does not exist in Europe/Berlin"):
        parse_time("2026-03-29 02:30", BERLIN)


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-11-22", "2026-13-01 00:00", "2026-11-22T24:30:00", "32.1.2026 00:00", "1", "12345678901234567",
     "0999-01-01 00:00", "2026-11-22T10:00:00+99:99", "٢٠٢٦-١١-٢٢ ١٠:٠٠"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time; expected one like"):
        parse_time(text, BERLIN)
