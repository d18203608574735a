"""Rules that forecast the cost of a day, and how wrong they were.

    weekday       a day costs the mean of the same weekdays of the eight weeks before
    year_before   a day costs what the day 364 days before cost: the same weekday
    mean          a day costs the mean of all days before

The band around a forecast is measured, not assumed: the same rule forecasts windows of the past from what was known
then, one a week for half a year, and the tenth and the ninetieth percentile of its errors are added to the forecast. A
rest that is longer than a window is taken to be wrong in proportion. Only days count that were measured from midnight
to midnight.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from msgspec import Struct

# the cost of the energy of local days
DayAmounts = Mapping[date, Decimal]
# the cost of a day, forecast from the days before `origin`; None where too little is known
Rule = Callable[[DayAmounts, date, date], Decimal | None]
RuleName = Literal["weekday", "year_before", "mean"]

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_YEAR = timedelta(days=364)
_WEEKS_OF_A_MEAN = 8
_MIN_SAME_WEEKDAYS = 2
_MIN_DAYS_OF_A_MEAN = 14
_WINDOW_DAYS = 28
_WINDOWS = 26
# the tenth percentile of fewer errors says nothing
_MIN_WINDOWS = 8
# so much of a window must be measured
_ENOUGH = 0.9
# no rule and no window needs an older day
LOOK_BACK = _WINDOWS * _WEEK + _WINDOW_DAYS * _DAY + _YEAR


class Band(Struct, frozen=True):
    """Eight of ten forecasts of the past would have ended between; `windows` is how many there were."""

    low: Decimal
    high: Decimal
    windows: int


def forecast_days(days: DayAmounts, origin: date, wanted: Mapping[date, Decimal]) -> Decimal | None:
    """What days will cost by the rule `weekday`, each by the share of it that is wanted; None with too little known."""
    amounts = [(_weekday(days, origin, day), share) for day, share in wanted.items()]
    known = [amount * share for amount, share in amounts if amount is not None]
    return sum(known, start=Decimal(0)) if len(known) == len(amounts) else None


def band(days: DayAmounts, origin: date, rule: RuleName, rest_days: Decimal, expected: Decimal) -> Band | None:
    """Around `expected`, forecast at the beginning of the day `origin` for `rest_days` days."""
    length = max(1, min(_WINDOW_DAYS, round(rest_days)))
    starts = [origin - length * _DAY - week * _WEEK for week in range(_WINDOWS)]
    errors = [error for start in starts if (error := _error(days, RULES[rule], start, length)) is not None]
    if len(errors) < _MIN_WINDOWS:
        return None
    errors.sort()
    share, low, high = rest_days / length, min(_tenth(errors, 1), Decimal(0)), max(_tenth(errors, 9), Decimal(0))
    return Band(expected + low * share, expected + high * share, len(errors))


def _tenth(ordered: Sequence[Decimal], number: int) -> Decimal:
    """The value that so many tenths of the others are below, between two of them in proportion."""
    place, rest = divmod(number * (len(ordered) - 1), 10)
    return ordered[place] + (ordered[place + 1] - ordered[place]) * rest / 10


def _error(days: DayAmounts, rule: Rule, start: date, length: int) -> Decimal | None:
    """What a window cost more than the rule forecast at its start; None where too little of it is known."""
    window = [day for place in range(length) if (day := start + place * _DAY) in days]
    errors = [days[day] - forecast for day in window if (forecast := rule(days, start, day)) is not None]
    mean = _mean_of(errors, max(1, round(_ENOUGH * length)))
    return None if mean is None else mean * length


def _weekday(days: DayAmounts, origin: date, day: date) -> Decimal | None:
    last = origin - _WEEK + (day - origin) % _WEEK
    same = [days[past] for week in range(_WEEKS_OF_A_MEAN) if (past := last - week * _WEEK) in days]
    return _mean_of(same, _MIN_SAME_WEEKDAYS)


def _year_before(days: DayAmounts, _origin: date, day: date) -> Decimal | None:
    return days.get(day - _YEAR)


def _mean(days: DayAmounts, origin: date, _day: date) -> Decimal | None:
    return _mean_of([amount for past, amount in days.items() if past < origin], _MIN_DAYS_OF_A_MEAN)


def _mean_of(amounts: Sequence[Decimal], at_least: int) -> Decimal | None:
    return sum(amounts, start=Decimal(0)) / len(amounts) if len(amounts) >= at_least else None


RULES: Mapping[RuleName, Rule] = {"weekday": _weekday, "year_before": _year_before, "mean": _mean}
