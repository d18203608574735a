"""What a kWh costs now and in the quarters ahead, and when it is cheapest, of the meters with a contract.

Prices are those of cost/price_columns.py. They are read again when a quarter begins, and once a minute while some of
today and tomorrow are unknown.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from iskra_server.base.json_values import number, utc
from iskra_server.cost.contracts import Contract, contract_on, zones_of
from iskra_server.cost.meter_prices import MeterPrices, meter_prices, plain, today_and_tomorrow
from iskra_server.cost.price_columns import no_spot_prices
from iskra_server.history.model.periods import quarter_instant
from iskra_server.history.model.records import QUARTER_S, quarter_of
from iskra_server.history.store import StoreError
from iskra_server.meter.reading import scaled

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.store import Store

log = logging.getLogger(__name__)

_ASK_EVERY = timedelta(minutes=1)
# a recorder of Home Assistant keeps attributes up to 16 kB: 150 quarters with six decimals
_PLACES = Decimal("0.000001")


class _Read(Struct, frozen=True):
    at: datetime
    prices: MeterPrices
    has_all: bool


class PriceMessages:
    """Outlives connections."""

    def __init__(self, tz: ZoneInfo, store: "Callable[[], Store | None]") -> None:
        self._tz = tz
        self._store = store
        self._read: dict[str, _Read] = {}

    async def now(self, meter_id: str, contracts: Sequence[Contract], now: datetime) -> dict[str, object]:
        """The currency, and the prices of this quarter; those that are unknown are absent."""
        contract = contract_on(contracts, now.astimezone(self._tz).date())
        if contract is None:
            return {}
        prices = await self._prices(meter_id, contracts, now)
        place = quarter_of(now.timestamp()) - prices.begin
        found = {"price_import": prices.imports[place], "price_export": prices.exports[place]}
        known = {key: number(price) for key, price in found.items() if price is not None}
        return {"currency": contract.currency, **known}

    async def ahead(self, meter_id: str, contracts: Sequence[Contract], now: datetime) -> bytes | None:
        """The message with the prices from this quarter on; None where today's contract has a fixed price."""
        contract = contract_on(contracts, now.astimezone(self._tz).date())
        if contract is None or contract.is_fixed:
            return None
        prices = await self._prices(meter_id, contracts, now)
        fields: dict[str, object] = {"id": meter_id, "currency": contract.currency}
        for found in prices.cheapest(now.timestamp()):
            name = f"cheapest_{found.hours}h"
            fields[name] = quarter_instant(found.begin, self._tz)
            fields[f"{name}_ends"] = quarter_instant(found.end, self._tz)
            fields[f"{name}_price"] = number(found.mean.quantize(_PLACES))
        fields["rates"] = self._rates(prices, quarter_of(now.timestamp()))
        return msgspec.json.encode(fields)

    def price(self, meter_id: str, now: datetime, *, is_export: bool) -> Decimal | None:
        """Of a kWh in this quarter, as it was read last; None where it is unknown."""
        read, quarter = self._read.get(meter_id), quarter_of(now.timestamp())
        if read is None or not read.prices.begin <= quarter < read.prices.end:
            return None
        columns = read.prices.columns
        raw = (columns.exports if is_export else columns.imports)[quarter - read.prices.begin]
        return None if raw is None else plain(scaled(raw, columns.scaler))

    def _rates(self, prices: MeterPrices, first: int) -> list[dict[str, object]]:
        return [
            {"start": utc(quarter * QUARTER_S), "end": utc((quarter + 1) * QUARTER_S), "value": number(round(price, 6))}
            for quarter, price in enumerate(prices.imports, prices.begin)
            if quarter >= first and price is not None
        ]

    async def _prices(self, meter_id: str, contracts: Sequence[Contract], now: datetime) -> MeterPrices:
        read = self._read.get(meter_id)
        if read is None or not self._is_current(read, now):
            prices = await asyncio.to_thread(self._prices_from, contracts, now)
            has_all = None not in (*prices.columns.imports, *prices.columns.exports)
            self._read[meter_id] = read = _Read(now, prices, has_all)
        return read.prices

    def _is_current(self, read: _Read, now: datetime) -> bool:
        is_same_quarter = quarter_of(read.at.timestamp()) == quarter_of(now.timestamp())
        return is_same_quarter and (read.has_all or timedelta() <= now - read.at < _ASK_EVERY)

    def _prices_from(self, contracts: Sequence[Contract], now: datetime) -> MeterPrices:
        """In a thread. While the database does not answer, spot prices are unknown."""
        begin, end = today_and_tomorrow(now, self._tz)
        store = self._store()
        if store is not None and zones_of(contracts):
            from iskra_server.history.store.spot_prices import spot_raws  # noqa: PLC0415

            try:
                return meter_prices(contracts, begin, end, partial(spot_raws, store), self._tz)
            except StoreError as error:
                log.debug("Spot prices of today and tomorrow: %s", error)
        return meter_prices(contracts, begin, end, no_spot_prices, self._tz)
