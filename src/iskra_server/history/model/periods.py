"""Periods by name: `today`, `last_month`, `2026-11`, or a moment after RFC 3339, in a time zone.

A day begins at local midnight, a week on Monday (ISO 8601). Results are in UTC, where they can be compared.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from iskra_server.base.json_values import Instant, local
from iskra_server.history.model.records import QUARTER_S, quarter_of

Length = Literal["day", "week", "month", "year"]
Period = tuple[datetime, datetime]

QUARTERS_PER_HOUR, QUARTERS_OF_DAY = 4, 96

# within these years no calendar computation leaves the range of datetime
FIRST_YEAR, LAST_YEAR = 1970, 2999

# name -> length, and whether it is the period before the current one
_NAMES: dict[str, tuple[Length, bool]] = {
    "today": ("day", False),
    "yesterday": ("day", True),
    "this_week": ("week", False),
    "this_month": ("month", False),
    "this_year": ("year", False),
    "last_week": ("week", True),
    "last_month": ("month", True),
    "last_year": ("year", True),
}
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
# a plus sign that was not escaped in a URL arrives as a space
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9:]{8}(?:\.[0-9]+)?)([Zz]|[-+ ][0-9]{2}:[0-9]{2})")
_FORMS = (
    f"{', '.join(_NAMES)}, a date of the years {FIRST_YEAR} to {LAST_YEAR} such as 2026, 2026-11 or 2026-11-22, "
    "or a moment with its offset such as 2026-11-22T10:00:00Z"
)


def parse_span(from_text: str, to_text: str | None, now: datetime, tz: ZoneInfo) -> Period:
    """From the beginning of one period to the end of another, in UTC.

    Without `to_text`: to the end of the first period, or until now where that is a moment. Raises ValueError.
    """
    begin, end = parse_period(from_text, now, tz)
    if to_text is not None:
        end = parse_period(to_text, now, tz)[1]
    elif begin == end:
        end = now.astimezone(UTC)
    if end <= begin:
        raise ValueError(f"'{to_text or 'now'}' does not end after '{from_text}' begins; give a later end")
    return begin, end


def parse_period(text: str, now: datetime, tz: ZoneInfo) -> Period:
    """Beginning and end of a named period, in UTC; a moment is both. Raises ValueError, naming the forms."""
    try:
        match = _named(text, now, tz) or _dated(text, tz) or _moment(text)
    except ValueError:
        match = None
    if match is None:
        raise ValueError(f"'{text}' is not a period; expected {_FORMS}")
    return match


def local_midnight(day: date, tz: ZoneInfo) -> datetime:
    """The moment where a local day begins, in UTC; where summer time skips midnight, the moment of the change."""
    return datetime(day.year, day.month, day.day, tzinfo=tz).astimezone(UTC)


def first_quarter(day: date, tz: ZoneInfo) -> int:
    """The quarter with which a local day begins."""
    return quarter_of(local_midnight(day, tz).timestamp())


def quarter_time(quarter: int, tz: tzinfo) -> datetime:
    """What a clock in this zone shows where a quarter begins."""
    return datetime.fromtimestamp(quarter * QUARTER_S, tz)


def quarter_date(quarter: int, tz: tzinfo) -> date:
    """The day in this zone on which a quarter begins."""
    return quarter_time(quarter, tz).date()


def quarter_instant(quarter: int, tz: ZoneInfo) -> Instant:
    """The local time at which a quarter begins, as answers have it: 2026-11-22T11:00:00+01:00."""
    return local(quarter * QUARTER_S, tz)


def quarter_of_day(clock: datetime) -> int:
    """The quarter, 0 to 95, in which a local clock shows this time."""
    return (clock.hour * 60 + clock.minute) // 15


def first_day(day: date, length: Length) -> date:
    """The first day of the week, month or year that a day lies in."""
    match length:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)


def next_start(start: date, length: Length) -> date:
    """The first day of the next day, week, month or year."""
    days = {"day": 1, "week": 7, "month": 31, "year": 366}[length]
    return first_day(start + timedelta(days=days), length)


def _named(text: str, now: datetime, tz: ZoneInfo) -> Period | None:
    name = _NAMES.get(text)
    if name is None:
        return None
    length, is_last = name
    start = first_day(now.astimezone(tz).date(), length)
    if is_last:
        start = first_day(start - timedelta(days=1), length)
    return _whole(start, length, tz)


def _dated(text: str, tz: ZoneInfo) -> Period | None:
    form = _DATE.fullmatch(text)
    if form is None:
        return None
    year, month, day = form.groups()
    length: Length = "day" if day else "month" if month else "year"
    return _whole(_checked_year(date(int(year), int(month or 1), int(day or 1))), length, tz)


def _moment(text: str) -> Period | None:
    form = _MOMENT.fullmatch(text)
    if form is None:
        return None
    day, time, offset = form.groups()
    _checked_year(date.fromisoformat(day))
    moment = datetime.fromisoformat(f"{day}T{time}{offset.upper().replace(' ', '+')}").astimezone(UTC)
    return moment, moment


def _whole(start: date, length: Length, tz: ZoneInfo) -> Period:
    return local_midnight(start, tz), local_midnight(next_start(start, length), tz)


def _checked_year(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError
    return day
