"""Asks the server's history for energy and cost by period, and for prices, of each meter once in a quarter-hour."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from homeassistant.util import dt as dt_util

from .client import ClientError, NotFoundError
from .model import UNREADABLE
from .periods import PERIODS, Cost, Period, cost_from, counters_of, period_from
from .prices import prices_from
from .retry import FIRST_DELAY_S, QuarterRetry, is_new_quarter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .coordinator import Coordinator
    from .model import Meter
    from .prices import Prices

_LOGGER = logging.getLogger(__name__)
_QUARTER: Final = timedelta(minutes=15)
_DAY: Final = timedelta(days=1)
_LOOK_EVERY_S: Final = 5.0


class History:
    """`periods` of each meter by its id, today and month; none of one that the server does not record.

    `prices` of each meter with a contract, of today and tomorrow.
    """

    def __init__(self, coordinator: Coordinator) -> None:
        self.periods: dict[str, dict[str, Period]] = {}
        self.prices: dict[str, Prices] = {}
        self._coordinator = coordinator
        self._retries: dict[str, QuarterRetry] = {}
        self._price_retries: dict[str, QuarterRetry] = {}
        # when those that are known were read
        self._priced_at: dict[str, datetime] = {}

    async def async_run(self) -> None:
        """Until it is cancelled; one meter after another. A server that does not answer is left alone for a while."""
        while True:
            try:
                for meter in [meter for meter in self._coordinator.meters.values() if not meter.is_sub_meter]:
                    if self._is_price_due(meter.id):
                        await self._read_prices(meter.id)
                    if self._is_due(meter):
                        await self._read(meter)
            except ClientError as error:
                _LOGGER.debug("No energy, cost and prices: %s", error)
                await asyncio.sleep(FIRST_DELAY_S)
            await asyncio.sleep(_LOOK_EVERY_S)

    def _is_due(self, meter: Meter) -> bool:
        """Whether history may know more of a meter by now, and has not just been asked."""
        coordinator = self._coordinator
        if not coordinator.is_current(meter.id) or meter.last_seen is None:
            return False
        known = self.periods.get(meter.id, {}).values()
        if known and not any(period.is_behind(meter) for period in known):
            return False
        return self._retries.setdefault(meter.id, QuarterRetry()).is_due(meter.last_seen)

    async def _read(self, meter: Meter) -> None:
        if meter.last_seen:
            self._retries[meter.id].note_request(meter.last_seen)
        try:
            for name in PERIODS:
                await self._read_period(meter, name)
        except (NotFoundError, *UNREADABLE) as error:
            _LOGGER.debug("No energy of today and this month of %s: %r", meter.id, error)

    async def _read_period(self, meter: Meter, name: str) -> None:
        now, before = PERIODS[name]
        if (period := await self._period(meter, now)) is None:
            return
        known = self.periods.setdefault(meter.id, {})
        last, counters = known.get(name), counters_of(meter)
        if last is not None and period.lacks(last.counted.keys() & set(counters)):
            # its first readings are just being written: it begins when all counters have theirs
            return
        if last is not None and last.end == period.begin:
            ended = await self._period(meter, before)
            if ended is not None and ended.is_complete:
                # the day that is over gets its last value before the next one begins
                self._set(meter.id, name, ended)
        self._set(meter.id, name, period)

    def _is_price_due(self, meter_id: str) -> bool:
        """Whether a quarter-hour has begun, or the price of this one is still unknown. A price needs no reading."""
        if not self._coordinator.is_connected:
            return False
        now, priced_at = dt_util.utcnow(), self._priced_at.get(meter_id)
        if priced_at and not is_new_quarter(priced_at, now):
            return False
        return self._price_retries.setdefault(meter_id, QuarterRetry()).is_due(now)

    async def _read_prices(self, meter_id: str) -> None:
        now = dt_util.now()
        self._price_retries[meter_id].note_request(now)
        query = {"from": f"{now:%Y-%m-%d}", "to": f"{now + _DAY:%Y-%m-%d}"}
        try:
            prices = prices_from(await self._get(meter_id, "prices", query))
        except (NotFoundError, *UNREADABLE) as error:
            _LOGGER.debug("No prices of %s: %r", meter_id, error)
            return
        if prices is None or prices.at(now, is_export=False) is not None:
            self._priced_at[meter_id] = now
        # a contract may also have been removed
        before = self.prices.pop(meter_id, None)
        if prices is not None:
            self.prices[meter_id] = prices
        if before or prices:
            self._coordinator.async_tell_history(meter_id)

    def _set(self, meter_id: str, name: str, period: Period) -> None:
        self.periods[meter_id][name] = period
        self._coordinator.async_tell_history(meter_id)

    async def _period(self, meter: Meter, name: str) -> Period | None:
        query = {"from": name, "bucket": "month" if name.endswith("month") else "day"}
        period = period_from(await self._get(meter.id, "energy", query), counters_of(meter))
        return replace(period, cost=await self._cost(meter.id, period)) if period else None

    async def _cost(self, meter_id: str, period: Period) -> Cost | None:
        """Until the newest reading; None without a contract."""
        begin, end = period.begin, min(period.newest, period.end)
        query = {"from": begin.isoformat(), "to": max(end, begin + _QUARTER).isoformat(), "bucket": "month"}
        try:
            cost = cost_from(await self._get(meter_id, "cost", query))
        except NotFoundError:
            return None
        return replace(cost, amount=Decimal(0)) if cost and end == begin else cost

    async def _get(self, meter_id: str, route: str, query: Mapping[str, str]) -> dict[str, object]:
        """With the days of Home Assistant's time zone."""
        coordinator = self._coordinator
        path = f"/api/v1/meters/{''.join(meter_id.split())}/{route}"
        answer: dict[str, object] = await coordinator.client.get(path, **query, tz=coordinator.hass.config.time_zone)
        return answer
