"""Spot prices of electricity: what a quarter of an hour costs at the day-ahead market of a zone, in EUR/MWh.

Since delivery day 2025-10-01 each quarter has its own price; before, an hour had one, which each of its quarters
carries. A price is an integer of millionths: exchanges publish two decimals, and more than six are noise of a float.
Delivery days of every zone are those of central Europe: 96 quarters, 92 or 100 where the clocks change.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.history.model.periods import first_quarter
from iskra_server.history.model.records import QUARTER_S

# millionths of EUR/MWh
SCALER = -6
SPOT_CURRENCY = "EUR"
QUARTER_MINUTES, HOUR_MINUTES = 15, 60
HOUR_QUARTERS = 4
MARKET = ZoneInfo("Europe/Berlin")
# of the market: the first day with a price per quarter, and the first day of today's zones
FIRST_QUARTERLY_DAY, FIRST_DAY = date(2025, 10, 1), date(2018, 10, 1)
FIRST_QUARTERLY = first_quarter(FIRST_QUARTERLY_DAY, MARKET)
# zones whose prices may be used freely (CC BY 4.0)
ZONES = (
    *("AT", "BE", "CH", "CZ", "DE-LU", "DE-AT-LU", "DK1", "DK2", "FR", "HU", "IT-NORTH", "NL", "NO2", "PL", "SE4"),
    "SI",
)
# far above what any market allows (4,000 EUR/MWh in 2026)
MAX_EUR_MWH = 100_000
_TWO_PLACES = Decimal("0.01")


class Price(Struct, frozen=True):
    """`raw` millionths of EUR/MWh; `minutes` is 15 for a quarter's own price, 60 for that of its hour."""

    raw: int
    minutes: int = QUARTER_MINUTES

    def is_final(self, quarter: int) -> bool:
        """Whether no shorter price is published for its quarter."""
        return self.minutes <= QUARTER_MINUTES or quarter < FIRST_QUARTERLY


# quarter -> price
Prices = Mapping[int, Price]


def raw_price(eur_mwh: Decimal) -> int:
    """In millionths; raises ValueError for what no market allows."""
    if not (eur_mwh.is_finite() and -MAX_EUR_MWH <= eur_mwh <= MAX_EUR_MWH):
        raise ValueError(f"{eur_mwh:.20} is no price in EUR/MWh")
    return int(eur_mwh.scaleb(-SCALER).to_integral_value(ROUND_HALF_EVEN))


@lru_cache(maxsize=4096)
def eur_mwh(raw: int) -> Decimal:
    """With two decimals, and more where the price has them."""
    exact = Decimal(raw).scaleb(SCALER)
    cents = exact.quantize(_TWO_PLACES)
    return cents if cents == exact else exact.normalize()


def missing_quarters(prices: Prices, quarters: Iterable[int]) -> set[int]:
    """Those without a price, or with one that is not final."""
    return {quarter for quarter in quarters if quarter not in prices or not prices[quarter].is_final(quarter)}


def delivery_day(moment_s: float) -> date:
    """The day of the market that a moment (Unix seconds) lies in."""
    return datetime.fromtimestamp(moment_s, UTC).astimezone(MARKET).date()


def quarters_of_days(first: date, end: date) -> range:
    """The quarters of the delivery days from `first` until before `end`."""
    return range(first_quarter(first, MARKET), first_quarter(end, MARKET))


def market_time(moment_s: float) -> time:
    return datetime.fromtimestamp(moment_s, UTC).astimezone(MARKET).time()


def begins_at(quarter: int) -> datetime:
    return datetime.fromtimestamp(quarter * QUARTER_S, UTC)
