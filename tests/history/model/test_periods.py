from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.history.model.periods import (
    Length,
    first_day,
    first_quarter,
    local_midnight,
    next_start,
    parse_period,
    parse_span,
    quarter_date,
    quarter_instant,
    quarter_time,
)

BERLIN = ZoneInfo("Europe/Berlin")
# a Wednesday, 00:30 of the 1st in Berlin
NOW = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
LENGTHS: tuple[Length, ...] = ("day", "week", "month", "year")


def local(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("today", (2026, 4, 1), (2026, 4, 2)),
        ("yesterday", (2026, 3, 31), (2026, 4, 1)),
        ("this_week", (2026, 3, 30), (2026, 4, 6)),
        ("last_week", (2026, 3, 23), (2026, 3, 30)),
        ("this_month", (2026, 4, 1), (2026, 5, 1)),
        ("last_month", (2026, 3, 1), (2026, 4, 1)),
        ("this_year", (2026, 1, 1), (2027, 1, 1)),
        ("last_year", (2025, 1, 1), (2026, 1, 1)),
        ("2024", (2024, 1, 1), (2025, 1, 1)),
        ("2024-02", (2024, 2, 1), (2024, 3, 1)),
        ("2024-12", (2024, 12, 1), (2025, 1, 1)),
        ("2024-02-29", (2024, 2, 29), (2024, 3, 1)),
    ],
)
def test_a_name_is_a_local_period(text: str, begin: tuple[int, int, int], end: tuple[int, int, int]) -> None:
    assert parse_period(text, NOW, BERLIN) == (local(*begin), local(*end))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-25", 25)])
def test_a_day_is_as_long_as_the_clocks_make_it(day: str, hours: int) -> None:
    begin, end = parse_period(day, NOW, BERLIN)
    assert end - begin == timedelta(hours=hours)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T10:00:00Z",
        "2026-11-22t10:00:00z",
        "2026-11-22 10:00:00Z",
        "2026-11-22T11:00:00+01:00",
        "2026-11-22T11:00:00 01:00",
        "2026-11-22T07:30:00-02:30",
        "2026-11-22T10:00:00.000000Z",
    ],
)
def test_a_moment_begins_and_ends_at_once(text: str) -> None:
    moment = datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert parse_period(text, NOW, BERLIN) == (moment, moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "Today",
        "26",
        "2026-13",
        "2026-02-29",
        "2026-1-1",
        "2026-11-22T10:00:00",
        "2026-11-22T25:00:00Z",
        "2026-11-22T10:00Z",
        "2026-11-22T10:00:00+99:00",
        "2026-11-22T10::0:00Z",
        "1969",
        "3000-01-01T00:00:00Z",
        "0000",
        "9999-12-31",
        "２０２６",
        "2026-11-22\n",
    ],
)
def test_another_text_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"is not a period; expected today, .*last_year, a date of the years"
    ) as caught:
        parse_period(text, NOW, BERLIN)
    assert str(caught.value).startswith(f"'{text}'")


@given(st.text(alphabet="0123456789-:TZ+ ._adlnosty", max_size=30))
def test_any_text_is_a_period_or_a_value_error(text: str) -> None:
    try:
        begin, end = parse_period(text, NOW, BERLIN)
    except ValueError as error:
        assert "is not a period" in str(error)
    else:
        assert begin <= end


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        ("yesterday", None, (local(2026, 3, 31), local(2026, 4, 1))),
        ("2026-02", "2026-03", (local(2026, 2, 1), local(2026, 4, 1))),
        ("last_month", "today", (local(2026, 3, 1), local(2026, 4, 2))),
        ("2026-03-31T00:00:00Z", None, (datetime(2026, 3, 31, tzinfo=UTC), NOW)),
        ("2026", "2026-03-31T00:00:00Z", (local(2026, 1, 1), datetime(2026, 3, 31, tzinfo=UTC))),
    ],
)
def test_a_span_is_from_one_beginning_to_the_other_end(
    begin: str, end: str | None, expected: tuple[datetime, datetime]
) -> None:
    assert parse_span(begin, end, NOW, BERLIN) == expected


@pytest.mark.parametrize(
    ("begin", "end", "named"),
    [("today", "2025", "'2025'"), ("2026-04-02T00:00:00Z", None, "'now'"), ("today", "yesterday", "'yesterday'")],
)
def test_a_span_that_does_not_go_forward_is_refused(begin: str, end: str | None, named: str) -> None:
    with pytest.raises(ValueError, match=f"{named} does not end after '{begin}' begins; give a later end"):
        parse_span(begin, end, NOW, BERLIN)


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("Europe/Berlin", date(2026, 11, 22), datetime(2026, 11, 21, 23, tzinfo=UTC)),
        ("Asia/Kathmandu", date(2026, 11, 22), datetime(2026, 11, 21, 18, 15, tzinfo=UTC)),
        # the clocks went from 24:00 to 01:00
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC)),
        # the clocks went from 01:00 to 00:00: the day begins at the first of the two
        ("America/Havana", date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC)),
    ],
)
def test_midnight_is_where_the_local_day_begins(zone: str, day: date, expected: datetime) -> None:
    assert local_midnight(day, ZoneInfo(zone)) == expected
    assert first_quarter(day, ZoneInfo(zone)) * 900 == expected.timestamp()


def test_a_quarter_begins_at_a_local_time_and_on_a_local_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    # 23:45 of the last day of the winter, and the same hour twice when it returns
    last_of_winter = first_quarter(date(2026, 3, 29), berlin) - 1
    assert quarter_time(last_of_winter, berlin) == datetime(2026, 3, 28, 23, 45, tzinfo=berlin)
    assert (quarter_date(last_of_winter, berlin), quarter_date(last_of_winter, UTC)) == (date(2026, 3, 28),) * 2
    assert quarter_date(last_of_winter + 1, berlin) == date(2026, 3, 29)
    twice = first_quarter(date(2026, 10, 25), berlin) + 8
    assert quarter_instant(twice, berlin) == "2026-10-25T02:00:00+02:00"
    assert quarter_instant(twice + 4, berlin) == "2026-10-25T02:00:00+01:00"


@given(st.dates(date(1970, 1, 1), date(2999, 12, 31)), st.sampled_from(LENGTHS))
def test_every_day_lies_in_one_week_month_and_year(day: date, length: Length) -> None:
    start = first_day(day, length)
    after = next_start(start, length)
    assert start <= day < after
    assert first_day(after, length) == after
    assert first_day(after - timedelta(days=1), length) == start
