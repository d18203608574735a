"""Prices, and the cost of today and of this month, of the meters with a contract.

Cost is that of the bill (cost/bill.py): energy up to the newest quarter-hour of history, less the payment for exported
energy, with the share of the base fee. When a day ends, its complete cost is published before the next day begins. The
cost of a day that is over is not shown as that of today for longer than history needs for the next reading.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from iskra_server.base.json_values import local, number
from iskra_server.cost.amounts import energy_cost
from iskra_server.cost.bill import Bill
from iskra_server.cost.contracts import Contract, contracts_of
from iskra_server.history.model.records import quarter_of
from iskra_server.history.store import StoreError
from iskra_server.history.store.recorded_meter import recorded_meter
from iskra_server.meter.obis import IMPORT
from iskra_server.meter.registers import key_of
from iskra_server.meter.signed_power import POWER
from iskra_server.meter.units import WH_TO_KWH
from iskra_server.outputs.mqtt.history_retry import HistoryRetry
from iskra_server.outputs.mqtt.period_totals import MONTH, TODAY, Span, span_of
from iskra_server.outputs.mqtt.price_messages import PriceMessages

if TYPE_CHECKING:
    # for their types alone: they bring the database library along
    from iskra_server.history.store.reads import Reads
    from iskra_server.history.store.store import Store

log = logging.getLogger(__name__)

_POWER = key_of(POWER)
# the reading at midnight is in history within a minute (history.flush_s)
_AFTER_MIDNIGHT = timedelta(minutes=2)


class _Costs(Struct, frozen=True):
    """Of the periods of `span`, up to before `until`, a quarter."""

    span: Span
    until: int
    fields: dict[str, object]


class CostMessages:
    """Outlives connections: it remembers the cost of each meter."""

    def __init__(
        self,
        contracts: Sequence[Contract],
        tz: ZoneInfo,
        store: "Callable[[], Store | None]",
        *,
        has_history: bool,
        is_production: Callable[[str], bool] = lambda _meter: False,
    ) -> None:
        self._contracts = contracts
        self._tz = tz
        self._store = store
        self._has_history = has_history
        self._is_production = is_production
        self._prices = PriceMessages(tz, store)
        self._costs: dict[str, _Costs] = {}
        self._retries: dict[str, HistoryRetry] = {}

    def contracts_of(self, meter_id: str, server_id: str) -> list[Contract]:
        return contracts_of(self._contracts, meter_id, server_id, is_production=self._is_production(meter_id))

    async def payloads(self, meters: Iterable[tuple[str, str]], now: datetime) -> list[tuple[str, bytes]]:
        """By server id in hex, of each meter the newest last; one of a day that has just ended comes before it.

        `meters`: meter id and server id in hex of electricity meters.
        """
        messages: list[tuple[str, bytes]] = []
        for meter_id, server_id in meters:
            contracts = self.contracts_of(meter_id, server_id)
            if not contracts:
                continue
            costs = await self._read(meter_id, now) if self._has_history and self._may_be_new(meter_id, now) else []
            if costs:
                self._costs[meter_id] = costs[-1]
            newest = self._costs.get(meter_id)
            is_of_today = newest is not None and now < newest.span.end + _AFTER_MIDNIGHT
            for fields in [one.fields for one in costs[:-1]] + [newest.fields if newest and is_of_today else {}]:
                prices = await self._prices.now(meter_id, contracts, now)
                payload = msgspec.json.encode({"id": meter_id, **prices, **fields})
                messages.append((server_id, payload))
        return messages

    async def price_payloads(self, meters: Iterable[tuple[str, str]], now: datetime) -> list[tuple[str, bytes]]:
        """By server id in hex, of the meters whose prices change: those from this quarter on."""
        messages: list[tuple[str, bytes]] = []
        for meter_id, server_id in meters:
            contracts = self.contracts_of(meter_id, server_id)
            payload = await self._prices.ahead(meter_id, contracts, now)
            if payload is not None:
                messages.append((server_id, payload))
        return messages

    def per_hour(self, meter_id: str, numbers: Mapping[str, Decimal], now: datetime) -> dict[str, Decimal]:
        """What the power costs for an hour, below 0 what it earns; empty without power, and without a known price."""
        watts = numbers.get(_POWER)
        price = None if watts is None else self._prices.price(meter_id, now, is_export=watts < 0)
        if watts is None or price is None:
            return {}
        return {"cost_per_hour": energy_cost(watts, price)}

    def _may_be_new(self, meter_id: str, now: datetime) -> bool:
        """Whether history may have a later quarter-hour, and has not just been asked."""
        costs, retry = self._costs.get(meter_id), self._retries.setdefault(meter_id, HistoryRetry())
        return (costs is None or costs.until < quarter_of(now.timestamp())) and retry.is_due(now)

    async def _read(self, meter_id: str, now: datetime) -> list[_Costs]:
        store = self._store()
        if store is None:
            return []
        self._retries[meter_id].note_request(now)
        try:
            return await asyncio.to_thread(self._read_new, store, meter_id, now)
        except StoreError as error:
            log.debug("Cost of today and this month: %s", error)
            return []

    def _read_new(self, store: "Store", meter_id: str, now: datetime) -> list[_Costs]:
        """Raises StoreError."""
        with store.snapshot() as reads:
            return self._new_costs(reads, meter_id, now)

    def _new_costs(self, reads: "Reads", meter_id: str, now: datetime) -> list[_Costs]:
        """Those of a day that has ended, and those of now; none where nothing is new."""
        meter, before = recorded_meter(reads, (meter_id,)), self._costs.get(meter_id)
        newest = meter.own_nearest_before(IMPORT, quarter_of(now.timestamp()) + 1) if meter else None
        if newest is None or meter is None or (before and newest.quarter <= before.until):
            return []
        span = span_of(now.astimezone(UTC), self._tz)
        if newest.quarter < span.quarters[TODAY]:
            # the day is over, and its last reading is not there yet
            return []
        bill = Bill(meter, self.contracts_of(meter.id, meter.server_id), now, self._tz, meter.spot_raws)
        if bill.contract is None:
            # the first contract begins later
            return []
        costs = [_costs_of(bill, span, newest.quarter, self._tz)]
        if before and before.span.end == span.today:
            costs.insert(0, _costs_of(bill, before.span, span.quarters[TODAY], self._tz))
        return costs


def _costs_of(bill: Bill, span: Span, until: int, tz: ZoneInfo) -> _Costs:
    """A cost is null while a price in it is unknown, beside the energy without one: a part would look like all."""
    fields: dict[str, object] = {}
    for period, begin in (TODAY, span.today), (MONTH, span.month):
        quarter = span.quarters[period]
        amount = bill.total(quarter, max(until, quarter))
        fields[f"cost_{period}"] = None if amount.has_unpriced else number(amount.total)
        if amount.has_unpriced:
            unpriced_wh = amount.unpriced_import_wh + amount.unpriced_export_wh
            fields[f"cost_{period}_unpriced_kwh"] = number(unpriced_wh.scaleb(WH_TO_KWH))
        fields[f"{period}_begins"] = local(int(begin.timestamp()), tz)
    return _Costs(span, until, fields)
