"""Fetches spot prices while the server runs: those of tomorrow once a day, those of the past month by month.

    12:50 of the market + up to 10 min   tomorrow is asked for, again every 10 min and a bit until it is complete
    until 14:00                          the first source that answers is enough; later the next ones are asked too
    16:00                                prices of tomorrow that are missing become a notice
    a server without a price for now     asks at once
    else                                 months of its history that lack prices, newest first, each once a day

While no source answers, the time between two attempts doubles, up to two hours. The random part keeps many servers from
asking at the same moment. While the clock is not trusted nothing is asked.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from functools import partial

from msgspec import Struct

from iskra_server.base.backoff import Backoff
from iskra_server.base.clock import Clock, boottime_s
from iskra_server.base.threads import in_daemon_thread
from iskra_server.history.model.periods import first_day
from iskra_server.history.model.spot_price import (
    FIRST_DAY,
    MARKET,
    begins_at,
    delivery_day,
    market_time,
    missing_quarters,
    quarters_of_days,
)
from iskra_server.history.store import StoreError
from iskra_server.history.store.spot_prices import spot_prices
from iskra_server.history.store.store import Store
from iskra_server.prices.collecting import Collected, collect, is_complete, months
from iskra_server.prices.price_sources import PriceSource

log = logging.getLogger(__name__)

TOMORROW_FROM, ASK_ALL_FROM, LATE_FROM = time(12, 50), time(14), time(16)
CLOCK_EVERY_S = 1.0
# each takes about 10 ms
_MONTHS_A_LOOK = 12
# until the database is open
_OPENING_S = 1.0
_DAY = timedelta(days=1)
# until then a quarter's own price may take the place of an hour's
_STAND_IN_DAYS = timedelta(days=14)


class Pace(Struct, frozen=True):
    """Seconds: between two looks at the clock and the history, to the next attempt, its longest, between months.

    `spread_s`: up to so much later than 12:50.
    """

    look_s: float = 30.0
    retry_s: float = 600.0
    max_retry_s: float = 7200.0
    month_s: float = 10.0
    spread_s: float = 600.0


PACE = Pace()


class DailyFetch:
    """`run` goes on until it is cancelled. `missing` says which prices should be there and are not."""

    def __init__(
        self,
        *,
        zones: Sequence[str],
        sources: Sequence[PriceSource],
        store: Callable[[], Store | None],
        clock: Clock,
        pace: Pace = PACE,
        uniform: Callable[[], float] = random.random,
        boot_s: Callable[[], float] = boottime_s,
    ) -> None:
        self._clock = clock
        self._store = store
        self._pace = pace
        self._zones = [_ZoneFetch(zone, sources, pace, uniform, boot_s) for zone in zones]

    async def run(self) -> None:
        while True:
            await self.fetch_due()
            await asyncio.sleep(self._pace.look_s if self._store() else _OPENING_S)

    async def fetch_due(self) -> None:
        """Ask for what is due now."""
        self._clock.update()
        if store := self._store():
            for zone in self._zones:
                await self._fetch_zone(zone, store)

    def missing(self) -> dict[str, str]:
        """The first `zone` that lacks prices, and `time`, from when on, as the notice names them; else empty."""
        lacking = next((zone for zone in self._zones if zone.missing is not None), None)
        return {"zone": lacking.name, "time": market_moment(lacking.missing or 0)} if lacking else {}

    async def _fetch_zone(self, zone: "_ZoneFetch", store: Store) -> None:
        fetch = asyncio.ensure_future(in_daemon_thread(partial(zone.fetch_due, store, self._now_s)))
        try:
            while not fetch.done():
                await asyncio.wait((fetch,), timeout=CLOCK_EVERY_S)
                # set while a source is asked, the clock is not trusted when its answer comes
                self._clock.update()
            fetch.result()
        finally:
            fetch.cancel()

    def _now_s(self) -> int | None:
        """None while the clock is not trusted."""
        return None if self._clock.doubt() else int(self._clock.wall_s)


class _ZoneFetch:
    """Runs in a thread; only one at a time."""

    def __init__(
        self,
        name: str,
        sources: Sequence[PriceSource],
        pace: Pace,
        uniform: Callable[[], float],
        boot_s: Callable[[], float],
    ) -> None:
        self.name = name
        self._boot_s = boot_s
        # the first quarter whose price should be there and is not
        self.missing: int | None = None
        self._cannot_store = False
        self._sources = sources
        self._pace = pace
        self._uniform = uniform
        self._backoff = Backoff(pace.retry_s, pace.max_retry_s, uniform=uniform)
        self._offset = timedelta(seconds=pace.spread_s * uniform())
        # boot time of the next attempt
        self._next_s = 0.0
        # a month was asked for on this day
        self._asked: dict[date, date] = {}

    def fetch_due(self, store: Store, now_s: Callable[[], int | None]) -> None:
        """Ask for what is due."""
        at_s = now_s()
        if at_s is None or self._boot_s() < self._next_s:
            return
        try:
            self._ask(store, at_s, now_s)
        except StoreError as error:
            # a central server may only read its database: what cannot be stored is not asked for all the time
            if not self._cannot_store:
                log.warning("Spot prices of %s are not stored: %s", self.name, error)
            self._cannot_store = True
            self._next_s = self._boot_s() + self._backoff.next_s()

    def _ask(self, store: Store, at_s: int, now_s: Callable[[], int | None]) -> None:
        quarters = self._wanted(at_s)
        if missing_quarters(spot_prices(store, self.name, quarters.start, quarters.stop), quarters):
            ask_all = market_time(at_s) >= ASK_ALL_FROM or self._lacks_today(store, at_s)
            collected = collect(store, self._sources, self.name, quarters, now_s, ask_all=ask_all)
            self._conclude(store, at_s, collected)
        else:
            self._set_missing(None, "")
            self._fill_a_month(store, at_s, now_s)

    def _wanted(self, at_s: int) -> range:
        """The quarters of today, and of tomorrow once they may be published."""
        today = delivery_day(at_s)
        return quarters_of_days(today, today + (2 * _DAY if self._is_published(at_s) else _DAY))

    def _is_published(self, at_s: int) -> bool:
        return market_time(at_s - self._offset.total_seconds()) >= TOMORROW_FROM and market_time(at_s) >= TOMORROW_FROM

    def _lacks_today(self, store: Store, at_s: int) -> bool:
        today = delivery_day(at_s)
        return not is_complete(store, self.name, today, today + _DAY, stand_ins=True)

    def _conclude(self, store: Store, at_s: int, collected: Collected) -> None:
        today = delivery_day(at_s)
        is_late = market_time(at_s) >= LATE_FROM
        due = quarters_of_days(today, today + (2 * _DAY if is_late else _DAY))
        known = spot_prices(store, self.name, due.start, due.stop)
        first = next((quarter for quarter in due if quarter not in known), None)
        self._cannot_store = False
        self._set_missing(first, collected.reason)
        if collected.missing and not collected.has_answer:
            self._next_s = self._boot_s() + self._backoff.next_s()
            return
        self._backoff.reset()
        if collected.missing:
            self._next_s = self._boot_s() + self._pace.retry_s * (1 + 0.2 * self._uniform())

    def _set_missing(self, first: int | None, reason: str) -> None:
        if first is not None and self.missing is None:
            log.warning("Spot prices of %s are missing from %s on: %s.", self.name, market_moment(first), reason)
        if first is None and self.missing is not None:
            log.warning("Spot prices of %s are complete again.", self.name)
        self.missing = first

    def _fill_a_month(self, store: Store, at_s: int, now_s: Callable[[], int | None]) -> None:
        """The newest month of history that lacks prices and was not asked for today."""
        today = delivery_day(at_s)
        since = store.first_s()
        if since is None:
            return
        oldest = max(first_day(delivery_day(since), "month"), FIRST_DAY)
        due = [part for part in reversed(list(months(oldest, today))) if self._asked.get(part[0]) != today]
        for first, end in due[:_MONTHS_A_LOOK]:
            self._asked[first] = today
            if not is_complete(store, self.name, first, end, stand_ins=end < today - _STAND_IN_DAYS):
                self._ask_for_month(store, first, quarters_of_days(first, end), now_s)
                return

    def _ask_for_month(self, store: Store, first: date, quarters: range, now_s: Callable[[], int | None]) -> None:
        collected = collect(store, self._sources, self.name, quarters, now_s)
        if collected.has_answer:
            self._backoff.reset()
            self._next_s = self._boot_s() + self._pace.month_s * (1 + self._uniform())
        else:
            log.info("Spot prices of %s for %s are missing: %s.", self.name, f"{first:%Y-%m}", collected.reason)
            del self._asked[first]
            self._next_s = self._boot_s() + self._backoff.next_s()


def market_moment(quarter: int) -> str:
    """When a quarter begins by the clock of the market: 2026-11-28 00:00 CET."""
    return f"{begins_at(quarter).astimezone(MARKET):%Y-%m-%d %H:%M %Z}"
