"""The cheapest hours ahead: the quarters in a row that cost least together."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate

from msgspec import Struct

from iskra_server.meter.reading import scaled

HOURS = (1, 2, 3, 4)
_QUARTERS_PER_HOUR = 4


class CheapHours(Struct, frozen=True):
    """From quarter `begin` until before quarter `end`; `mean_price` per kWh."""

    hours: int
    begin: int
    end: int
    mean_price: Decimal


def cheapest_hours(prices: Sequence[int | None], first: int, scaler: int) -> list[CheapHours]:
    """Of 1, 2, 3 and 4 hours without an unknown price, the earliest of the cheapest; `prices` begin at quarter `first`.

    Absent where so many quarters in a row are not known.
    """
    sums = list(accumulate((price or 0 for price in prices), initial=0))
    gaps = list(accumulate((price is None for price in prices), initial=0))
    found = []
    for hours in HOURS:
        length = hours * _QUARTERS_PER_HOUR
        starts = [start for start in range(len(prices) - length + 1) if gaps[start] == gaps[start + length]]
        if starts:
            best = min(starts, key=lambda start: sums[start + length] - sums[start])
            total = sums[best + length] - sums[best]
            found.append(CheapHours(hours, first + best, first + best + length, scaled(total, scaler) / length))
    return found
