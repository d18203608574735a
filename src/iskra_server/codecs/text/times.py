"""Moments in a line. A letter or a digit says which time it is; a clock that shows none has the time on the wall.

    200704104157S        P1: S is summer time (UTC+2), W winter time (UTC+1); without a letter: on the wall
    0170318 with 201455  ISKRA, D0: y YYMMDD with y 0 normal time, 1 summer time (of whatever zone), 2 UTC
    1140716101053        the same with the time behind it
    18-01-03 08:22, 20240111 09:35:00, 1703100930, 2017-01-18&01:36:47     on the wall

A clock that was never set, or that has lost its time, has no moment: 700101010000W, 632525252525S, 000101000000W.
"""

import re
from calendar import timegm
from datetime import datetime

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
    """The moment that a text tells, None where it tells none; `clock` is the time of a day that stands alone."""
    form, time = _FORM.fullmatch(text.strip()), _CLOCK.fullmatch(clock.strip())
    if form is None or time is None or int(form["year"]) not in _YEARS:
        return None
    hour, minute, second = (form["hour"], form["minute"], form["second"] or "0") if form["hour"] else time.groups()
    try:
        wall = datetime(  # noqa: DTZ001
            2000 + int(form["year"]), int(form["month"]), int(form["day"]), int(hour), int(minute), int(second)
        )
    except ValueError:
        return None
    seconds = timegm(wall.timetuple())
    if form["season"]:
        return MeterTime("timestamp", seconds - 60 * _ZONE_MIN[form["season"]])
    if form["kind"] == _UTC:
        return MeterTime("timestamp", seconds)
    return MeterTime("wall", seconds, season_offset_min=_SUMMER_MIN if form["kind"] == "1" else 0)
