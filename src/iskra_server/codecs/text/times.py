"""Parses timestamps of a line. A letter or digit tells the time zone; without one it is the wall clock of the meter.

    200704104157S        P1: S is summer time (UTC+2), W winter time (UTC+1); without a letter: wall clock
    0170318 with 201455  ISKRA, D0: y YYMMDD with y 0 normal time, 1 summer time (of whatever zone), 2 UTC
    1140716101053        the same with the time of day
    18-01-03 08:22, 20240111 09:35:00, 1703100930, 2017-01-18&01:36:47     wall clock

A clock that was never set or has lost its time sends an invalid timestamp: 700101010000W, 632525252525S,
000101000000W.
"""

import re
from datetime import UTC, datetime

from iskra_server.meter.reading import MeterTime

_FORM = re.compile(
    r"(?:(?P<kind>[012])(?=\d{6}(?:\d{6})?$))?"
    r"(?P<century>20(?=\d\d-|\d{6}[ &T]))?(?P<year>\d\d)-?(?P<month>\d\d)-?(?P<day>\d\d)"
    r"(?:[ &T]?(?P<hour>\d\d):?(?P<minute>\d\d)(?::?(?P<second>\d\d))?)?(?P<season>[SW])?",
    re.ASCII,
)
_CLOCK = re.compile(r"(\d\d):?(\d\d):?(\d\d)", re.ASCII)
_YEARS = range(1, 70)
_SUMMER_MIN = 60
_ZONE_MIN = {"S": 120, "W": 60}
_UTC = "2"


def moment(text: str, clock: str = "000000") -> MeterTime | None:
    """The time of a timestamp, or None if it is invalid; `clock` is the time of day for a date without one."""
    form, time = _FORM.fullmatch(text.strip()), _CLOCK.fullmatch(clock.strip())
    if form is None or time is None or int(form["year"]) not in _YEARS:
        return None
    hour, minute, second = (form["hour"], form["minute"], form["second"] or "0") if form["hour"] else time.groups()
    try:
        wall = datetime(
            2000 + int(form["year"]),
            int(form["month"]),
            int(form["day"]),
            int(hour),
            int(minute),
            int(second),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    seconds = int(wall.timestamp())
    if form["season"]:
        return MeterTime("timestamp", seconds - 60 * _ZONE_MIN[form["season"]])
    if form["kind"] == _UTC:
        return MeterTime("timestamp", seconds)
    return MeterTime("wall", seconds, season_offset_min=_SUMMER_MIN if form["kind"] == "1" else 0)
