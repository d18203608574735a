"""The cheapest hours ahead: the contiguous quarters with the lowest sum of prices."""

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from iskra_server.history.model.spot_price import HOUR_QUARTERS

HOURS = (1, 2, 3, 4)


class CheapestHours(Struct, frozen=True):
    """From quarter `begin` until before `end`; `total` is the sum of the prices of its quarters."""

    hours: int
    begin: int
    end: int
    total: Decimal

    @property
    def mean(self) -> Decimal:
        """Rounded to as many digits as decimals have."""
        return self.total / (self.end - self.begin)


def cheapest(prices: Mapping[int, Decimal], first: int, hours: int) -> CheapestHours | None:
    """Among whole quarters from `first` on, without a gap; the earliest of equal ones; None where none is left."""
    count = hours * HOUR_QUARTERS
    best: CheapestHours | None = None
    run, total = 0, Decimal(0)
    for quarter in sorted(quarter for quarter in prices if quarter >= first):
        if quarter - 1 not in prices or quarter == first:
            run, total = 0, Decimal(0)
        run, total = run + 1, total + prices[quarter]
        if run > count:
            run, total = count, total - prices[quarter - count]
        if run == count and (best is None or total < best.total):
            best = CheapestHours(hours, quarter + 1 - count, quarter + 1, total)
    return best


def cheapest_hours(prices: Mapping[int, Decimal], first: int) -> list[CheapestHours]:
    """One for each of HOURS that fits."""
    return [found for hours in HOURS if (found := cheapest(prices, first, hours))]
