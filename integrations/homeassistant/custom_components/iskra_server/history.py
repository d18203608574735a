"""Asks the server's history for energy and cost of today and of this month, of each meter once in a quarter-hour."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from .client import ClientError, NotFoundError
from .model import UNREADABLE
from .periods import PERIODS, Cost, Period, cost_from, period_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .coordinator import Coordinator
    from .model import Meter

_LOGGER = logging.getLogger(__name__)
_QUARTER: Final = timedelta(minutes=15)
_LOOK_EVERY_S: Final = 5.0
# history writes a reading within a minute (history.flush_s); it may also be off, or be opened just now
_RETRY_S: Final = 30.0


class History:
    """`periods` of each meter by its id, today and month; none of one that the server does not record."""

    def __init__(self, coordinator: Coordinator) -> None:
        self.periods: dict[str, dict[str, Period]] = {}
        self._coordinator = coordinator
        # loop time before which a meter is not asked for
        self._not_before: dict[str, float] = {}

    async def async_run(self) -> None:
        """Until it is cancelled; one meter after another. A server that does not answer is left alone for a while."""
        while True:
            due = [meter.id for meter in self._coordinator.meters.values() if self._is_due(meter)]
            try:
                for meter_id in due:
                    await self._read(meter_id)
            except ClientError as error:
                _LOGGER.debug("No energy of today and this month: %s", error)
                await asyncio.sleep(_RETRY_S)
            await asyncio.sleep(_LOOK_EVERY_S)

    def _is_due(self, meter: Meter) -> bool:
        """Whether history may have a later quarter-hour than the one that is known."""
        coordinator = self._coordinator
        if meter.is_sub_meter or not coordinator.is_current(meter.id) or meter.last_seen is None:
            return False
        if coordinator.hass.loop.time() < self._not_before.get(meter.id, 0.0):
            return False
        known = self.periods.get(meter.id, {}).values()
        return not known or any(meter.last_seen - period.newest >= _QUARTER for period in known)

    async def _read(self, meter_id: str) -> None:
        self._not_before[meter_id] = self._coordinator.hass.loop.time() + _RETRY_S
        try:
            for name in PERIODS:
                await self._read_period(meter_id, name)
        except (NotFoundError, *UNREADABLE) as error:
            _LOGGER.debug("No energy of today and this month of %s: %r", meter_id, error)

    async def _read_period(self, meter_id: str, name: str) -> None:
        now, before = PERIODS[name]
        if (period := await self._period(meter_id, now)) is None:
            return
        known = self.periods.setdefault(meter_id, {})
        last = known.get(name)
        if last is not None and last.end == period.begin:
            ended = await self._period(meter_id, before)
            if ended is not None and ended.is_complete:
                # the day that is over gets its last value before the next one begins
                self._set(meter_id, name, ended)
        self._set(meter_id, name, period)

    def _set(self, meter_id: str, name: str, period: Period) -> None:
        self.periods[meter_id][name] = period
        self._coordinator.async_tell_periods(meter_id)

    async def _period(self, meter_id: str, name: str) -> Period | None:
        query = {"from": name, "bucket": "month" if name.endswith("month") else "day"}
        period = period_from(await self._get(meter_id, "energy", query))
        return replace(period, cost=await self._cost(meter_id, period)) if period else None

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
