"""The base load: the power that a household draws from the grid while it sleeps.

Of each night the lowest mean power of an hour (four quarters in a row) between midnight and five; of several nights the
median, so that a restless night does not count.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from iskra_server.history.model.periods import quarter_time
from iskra_server.history.model.records import quarter_of

# of fewer nights there is no median
MIN_NIGHTS = 3
_END_OF_NIGHT = time(5)
_HOUR = range(4)
_WH_PER_KWH = 1000


def night_quarters(night: date, tz: ZoneInfo) -> range:
    """The quarters from local midnight until five; 16 or 24 of them where the clocks change."""
    begin, end = (datetime.combine(night, clock, tz).timestamp() for clock in (time(), _END_OF_NIGHT))
    return range(quarter_of(begin), quarter_of(end))


def nightly_minima(quarters: Iterable[tuple[int, Decimal]], tz: ZoneInfo) -> dict[date, Decimal]:
    """W of the quietest hour of each night that has a measured hour; `quarters` are measured energies in Wh.

    Empty if the counter counts whole kWh only: that is too coarse for power.
    """
    energies = dict(quarters)
    if _counts_whole_kwh(energies.values()):
        return {}
    minima: dict[date, Decimal] = {}
    for first in sorted(energies):
        hour = [energies[first + place] for place in _HOUR if first + place in energies]
        night, end = (quarter_time(quarter, tz) for quarter in (first, first + len(_HOUR)))
        if len(hour) < len(_HOUR) or (end.date(), end.time()) > (night.date(), _END_OF_NIGHT):
            continue
        # the energy of an hour in Wh is its mean power in W
        watts = sum(hour, start=Decimal(0))
        minima[night.date()] = min(watts, minima.get(night.date(), watts))
    return minima


def median_of_nights(minima: Mapping[date, Decimal]) -> Decimal | None:
    """W, the higher one of the two in the middle; None of too few nights."""
    return sorted(minima.values())[len(minima) // 2] if len(minima) >= MIN_NIGHTS else None


def base_load(quarters: Iterable[tuple[int, Decimal]], tz: ZoneInfo) -> Decimal | None:
    """The median in W of the nights that the quarters are of; None of too few."""
    return median_of_nights(nightly_minima(quarters, tz))


def _counts_whole_kwh(energies: Iterable[Decimal]) -> bool:
    counted = [energy for energy in energies if energy]
    return bool(counted) and all(energy % _WH_PER_KWH == 0 for energy in counted)
