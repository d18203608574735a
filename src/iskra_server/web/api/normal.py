"""What is normal for a household: steps of power, the typical day, the highest quarter-hour of each month.

GET /api/v1/meters/{id}/steps, /typical-day and /highest-quarters
"""

import math
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import groupby

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Instant, Number, NumberColumn, local, number
from iskra_server.history.model.highest_quarter import QuarterEnergy, highest_quarter, quarter_energies
from iskra_server.history.model.periods import first_quarter, quarter_instant, quarter_time
from iskra_server.history.model.typical_day import TypicalQuarter, typical_days
from iskra_server.history.points.power_steps import PowerStep, power_steps
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.obis import IMPORT
from iskra_server.meter.reading import scaled
from iskra_server.web.api.history import history_endpoint
from iskra_server.web.api.telegram_power import telegram_power
from iskra_server.web.http.endpoint import TIME_ZONE, Result, integer_parameter, period_parameters
from iskra_server.web.http.query import BadRequest, Query

MAX_STEP_DAYS = 1
MAX_MONTHS_DAYS = 800
MAX_WEEKS = 53
MAX_STEP_W = 100_000
DEFAULT_STEP_W, DEFAULT_WEEKS = 200, 8
_LAST = timedelta(minutes=5)
_MW, _MS = -3, 1000


class PowerChange(Struct, frozen=True):
    """Power left `before_w` at this moment and settled at `after_w`: something was switched on, or off."""

    at: Instant
    change_w: Number
    before_w: Number
    after_w: Number


class Steps(Struct, frozen=True):
    """Changes of power of at least `min_w` that settled, the oldest first; `until` is the newest telegram in history,
    which is written with up to a minute's delay. It is absent where telegrams are not kept or have no power.
    """

    meter: str
    simulated: bool
    tz: str
    begin: Instant
    end: Instant
    min_w: int
    steps: list[PowerChange]
    until: Instant | UnsetType = UNSET


class Weekday(Struct, frozen=True):
    """Mean power of each quarter-hour of the clock, from 00:00 on; 1 is Monday. Half of the days lie in the band from
    `low_w` to `high_w`; null where fewer than three days were measured."""

    weekday: int
    days: int
    median_w: NumberColumn
    low_w: NumberColumn
    high_w: NumberColumn


class TypicalWeek(Struct, frozen=True):
    """The typical day of each weekday, of the weeks until before today."""

    meter: str
    simulated: bool
    tz: str
    begin: Instant
    end: Instant
    weekdays: list[Weekday]


class MonthOfQuarter(Struct, frozen=True):
    """The highest quarter-hour from the grid in a month, or the part of it in the period: its mean power and moment."""

    month: str
    begin: Instant
    end: Instant
    import_wh: Number
    power_w: Number


class HighestQuarters(Struct, frozen=True):
    """By month, without months in which nothing was measured."""

    meter: str
    simulated: bool
    tz: str
    begin: Instant
    end: Instant
    months: list[MonthOfQuarter]


def steps_of(meter: RecordedMeter, query: Query) -> Steps:
    """Raises BadRequest, and StoreError if the database does not respond."""
    min_w = query.integer("min_w", default=DEFAULT_STEP_W, maximum=MAX_STEP_W)
    if query.get("from") is None and query.get("to") is None:
        begin, end = query.now - _LAST, query.now
    else:
        begin, end = query.period(max_days=MAX_STEP_DAYS)
    period = int(begin.timestamp()), math.ceil(end.timestamp())
    try:
        values = telegram_power(meter, meter.points_between(*period), period)
    except ValueError as error:
        raise BadRequest("a block of telegrams in this period is damaged; ask for another period") from error
    return Steps(
        meter=meter.id,
        simulated=meter.simulated,
        tz=query.tz.key,
        begin=local(period[0], query.tz),
        end=local(period[1], query.tz),
        min_w=min_w,
        steps=[_step(step, query) for step in power_steps(values, min_w * 1000)],
        until=local(values.at_ms[-1] // _MS, query.tz) if values.at_ms else UNSET,
    )


def _step(step: PowerStep, query: Query) -> PowerChange:
    watts = (number(scaled(power_mw, _MW)) for power_mw in (step.change_mw, step.before_mw, step.after_mw))
    return PowerChange(local(step.at_ms // _MS, query.tz), *watts)


def typical_week_of(meter: RecordedMeter, query: Query) -> TypicalWeek:
    """Raises BadRequest, and StoreError if the database does not respond."""
    weeks = query.integer("weeks", default=DEFAULT_WEEKS, maximum=MAX_WEEKS)
    today = query.today
    begin, end = (first_quarter(day, query.tz) for day in (today - timedelta(weeks=weeks), today))
    counter = meter.counter(IMPORT)
    energies = quarter_energies(counter.between(begin, end + 1), counter.epochs)
    return TypicalWeek(
        meter=meter.id,
        simulated=meter.simulated,
        tz=query.tz.key,
        begin=quarter_instant(begin, query.tz),
        end=quarter_instant(end, query.tz),
        weekdays=[
            Weekday(
                day.weekday,
                day.days,
                _column(day.quarters, lambda quarter: quarter.median_w),
                _column(day.quarters, lambda quarter: quarter.low_w),
                _column(day.quarters, lambda quarter: quarter.high_w),
            )
            for day in typical_days(energies, query.tz)
        ],
    )


def _column(quarters: tuple[TypicalQuarter | None, ...], value: Callable[[TypicalQuarter], Decimal]) -> NumberColumn:
    return [number(value(quarter)) if quarter else None for quarter in quarters]


def highest_quarters_of(meter: RecordedMeter, query: Query) -> HighestQuarters:
    """Raises BadRequest, and StoreError if the database does not respond."""
    first, last = query.quarters(max_days=MAX_MONTHS_DAYS, default="this_month")
    counter = meter.counter(IMPORT)
    energies = quarter_energies(counter.between(first, last + 1), counter.epochs)
    by_month = groupby(energies, key=lambda energy: _month(energy.quarter, query))
    highest = ((month, highest_quarter(energies)) for month, energies in by_month)
    return HighestQuarters(
        meter=meter.id,
        simulated=meter.simulated,
        tz=query.tz.key,
        begin=quarter_instant(first, query.tz),
        end=quarter_instant(last, query.tz),
        months=[_month_of_quarter(month, quarter, query) for month, quarter in highest if quarter],
    )


def _month(quarter: int, query: Query) -> str:
    return f"{quarter_time(quarter, query.tz):%Y-%m}"


def _month_of_quarter(month: str, highest: QuarterEnergy, query: Query) -> MonthOfQuarter:
    return MonthOfQuarter(
        month,
        quarter_instant(highest.quarter, query.tz),
        quarter_instant(highest.quarter + 1, query.tz),
        number(highest.energy_wh),
        number(highest.power_w),
    )


STEPS = history_endpoint(
    "steps",
    "Steps of power: when something was switched on or off, and by how much, from telegrams; by default of the last "
    "five minutes.",
    Result("the steps, the oldest first", Steps),
    lambda _: steps_of,
    (
        *period_parameters(f"{MAX_STEP_DAYS} day", default="the last five minutes"),
        integer_parameter("min_w", "smallest change of power in W", DEFAULT_STEP_W, MAX_STEP_W),
        TIME_ZONE,
    ),
)
TYPICAL_DAY = history_endpoint(
    "typical-day",
    "The typical day of each weekday: median power from the grid by quarter-hour, and the band of the middle half.",
    Result("a column for each weekday", TypicalWeek),
    lambda _: typical_week_of,
    (integer_parameter("weeks", "number of weeks before today", DEFAULT_WEEKS, MAX_WEEKS), TIME_ZONE),
)
HIGHEST_QUARTERS = history_endpoint(
    "highest-quarters",
    "The highest quarter-hour from the grid of each month with its moment, as a capacity tariff bills it.",
    Result("the months in order", HighestQuarters),
    lambda _: highest_quarters_of,
    (*period_parameters(f"{MAX_MONTHS_DAYS} days", default="this_month"), TIME_ZONE),
)
ENDPOINTS = (STEPS, TYPICAL_DAY, HIGHEST_QUARTERS)
