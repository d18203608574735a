"""The prices of a meter for a span of quarters, and the cheapest hours ahead: for the page, the feed and MQTT."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.contracts import Contract, contract_on, zones_of
from iskra_server.cost.price_columns import PriceColumns, Spot, price_columns_of
from iskra_server.history.model.periods import first_quarter
from iskra_server.history.model.records import quarter_of
from iskra_server.prices.cheapest import CheapestHours, cheapest_hours

_DAY = timedelta(days=1)


class MeterPrices(Struct, frozen=True):
    """Gross prices per kWh of the quarters from `begin` on; None where one is unknown."""

    begin: int
    columns: PriceColumns

    @property
    def end(self) -> int:
        return self.begin + len(self.columns.imports)

    @property
    def imports(self) -> list[Decimal | None]:
        return list(self._decimals(self.columns.imports))

    @property
    def exports(self) -> list[Decimal | None]:
        return list(self._decimals(self.columns.exports))

    def _decimals(self, column: Sequence[int | None]) -> Iterator[Decimal | None]:
        # a column has a few distinct prices
        decimals = {raw: plain(Decimal(raw).scaleb(self.columns.scaler)) for raw in set(column) if raw is not None}
        return (None if raw is None else decimals[raw] for raw in column)

    def cheapest(self, now_s: float) -> list[CheapestHours]:
        """Whole quarters that have not begun yet, also the one that begins now; none where the price never changes."""
        known = {self.begin + place: price for place, price in enumerate(self.imports) if price is not None}
        first = quarter_of(now_s - 1) + 1
        if len(set(known.values())) <= 1:
            return []
        return cheapest_hours(known, max(first, self.begin))


def meter_prices(contracts: Sequence[Contract], begin: int, end: int, spot: Spot, tz: ZoneInfo) -> MeterPrices:
    return MeterPrices(begin, price_columns_of(contracts, begin, end, spot, tz))


def today_and_tomorrow(now: datetime, tz: ZoneInfo) -> tuple[int, int]:
    """The first quarter of the local day, and the one after tomorrow's last."""
    today = now.astimezone(tz).date()
    return first_quarter(today, tz), first_quarter(today + 2 * _DAY, tz)


def zone_of(contracts: Sequence[Contract], now: datetime, tz: ZoneInfo) -> str:
    """The zone of today's contract, "" where it needs no spot price."""
    contract = contract_on(contracts, now.astimezone(tz).date())
    return next(iter(sorted(zones_of([contract]))), "") if contract else ""


def plain(price: Decimal) -> Decimal:
    """Without zeros at the end: 0.3265, not 0.326500000."""
    short = price.normalize()
    exponent = short.as_tuple().exponent
    return short.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else short
