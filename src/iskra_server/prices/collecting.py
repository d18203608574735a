"""Asks the sources for the prices that a zone lacks, one source after the other, and stores what they have."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from msgspec import Struct

from iskra_server.history.model.periods import first_day, next_start
from iskra_server.history.model.spot_price import missing_quarters, quarters_of_days
from iskra_server.history.store.spot_prices import Stored, spot_prices, store_prices
from iskra_server.history.store.store import Store
from iskra_server.prices.price_sources import PriceSource, PriceSourceError


class Collected(Struct, frozen=True):
    """What was stored, which quarters still have no final price, and what each source that failed did.

    `has_answer`: a source answered, though perhaps without all prices.
    """

    stored: Stored = Stored()
    missing: frozenset[int] = frozenset()
    problems: tuple[str, ...] = ()
    has_answer: bool = False

    @property
    def reason(self) -> str:
        """Why prices are missing, as a clause."""
        return "; ".join(self.problems) or "no source has them"


def collect(
    store: Store,
    sources: Sequence[PriceSource],
    zone: str,
    quarters: range,
    now_s: Callable[[], int | None],
    *,
    ask_all: bool = True,
) -> Collected:
    """Blocks. Asks the next source where one fails, and with `ask_all` where one lacks prices, until none is missing.

    `now_s` is the time of retrieval; None, while the clock is not trusted, asks and stores nothing. Raises StoreError.
    """
    missing = missing_quarters(spot_prices(store, zone, quarters.start, quarters.stop), quarters)
    stored, problems, has_answer = Stored(), [], False
    for source in sources:
        if not missing or now_s() is None:
            break
        if not source.has(zone):
            continue
        try:
            prices = source.prices(zone, range(min(missing), max(missing) + 1))
        except PriceSourceError as error:
            problems.append(f"{source.name}: {error}")
            continue
        if (at_s := now_s()) is None:
            break
        has_answer = True
        stored += store_prices(store, zone, source.name, at_s, prices)
        missing = missing_quarters(prices, missing)
        if not ask_all:
            break
    return Collected(stored, frozenset(missing), tuple(problems), has_answer)


def months(first: date, end: date) -> Iterator[tuple[date, date]]:
    """The days from `first` until before `end` in parts of calendar months."""
    while first < end:
        part_end = min(next_start(first_day(first, "month"), "month"), end)
        yield first, part_end
        first = part_end


def is_complete(store: Store, zone: str, first: date, end: date, *, stand_ins: bool) -> bool:
    """Whether each quarter of these days has a price; with `stand_ins` that of an hour is enough. Raises StoreError."""
    quarters = quarters_of_days(first, end)
    prices = spot_prices(store, zone, quarters.start, quarters.stop)
    return len(prices) == len(quarters) if stand_ins else not missing_quarters(prices, quarters)
