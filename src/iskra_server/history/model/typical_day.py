"""The typical day of each weekday: of every quarter-hour of the clock the median, and the band of the middle half.

The numbers are measured ones, by nearest rank: no mean of two, so they stay exact. Where the clocks change, an hour
that comes twice counts twice, and one that is left out is missing on that day.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.history.model.highest_quarter import QuarterEnergy
from iskra_server.history.model.periods import QUARTERS_OF_DAY, quarter_of_day, quarter_time

WEEKDAYS = range(1, 8)
# of fewer days nothing is typical
MIN_DAYS = 3


class TypicalQuarter(Struct, frozen=True):
    """Mean powers in W: a quarter of the days was below `low_w`, half of them below `median_w`, a quarter above
    `high_w`."""

    low_w: Decimal
    median_w: Decimal
    high_w: Decimal


class TypicalDay(Struct, frozen=True):
    """Of a weekday, 1 is Monday; `quarters` by the clock, None where fewer than three days were measured."""

    weekday: int
    days: int
    quarters: tuple[TypicalQuarter | None, ...]


def typical_days(energies: Iterable[QuarterEnergy], tz: ZoneInfo) -> tuple[TypicalDay, ...]:
    """Of each weekday, Monday first."""
    powers: dict[tuple[int, int], list[Decimal]] = defaultdict(list)
    days: dict[int, set[date]] = defaultdict(set)
    for energy in energies:
        at = quarter_time(energy.quarter, tz)
        weekday = at.isoweekday()
        powers[weekday, quarter_of_day(at)].append(energy.power_w)
        days[weekday].add(at.date())
    return tuple(
        TypicalDay(
            weekday,
            len(days[weekday]),
            tuple(_typical(powers.get((weekday, quarter), ())) for quarter in range(QUARTERS_OF_DAY)),
        )
        for weekday in WEEKDAYS
    )


def _typical(powers: Sequence[Decimal]) -> TypicalQuarter | None:
    if len(powers) < MIN_DAYS:
        return None
    ordered = sorted(powers)
    return TypicalQuarter(_rank(ordered, 1), _rank(ordered, 2), _rank(ordered, 3))


def _rank(ordered: Sequence[Decimal], fourths: int) -> Decimal:
    """The smallest number that so many fourths of all do not exceed (nearest rank)."""
    return ordered[-(-len(ordered) * fourths // 4) - 1]
