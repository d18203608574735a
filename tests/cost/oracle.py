"""What a contract costs, computed once more: quarter by quarter, in integers, without any code of the server.

Energy is in 0.1 Wh, a spot price in 0.01 EUR/MWh, other net prices in 10^-7 EUR/kWh, percentages as they are. Then a
cost is an integer of 10^-4 kWh x 10^-7 EUR/kWh x 10^-2 (percent of the spot price) x 10^-2 (VAT) = 10^-15 EUR.
"""

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

UNIT = Fraction(1, 10**15)
# 0.01 EUR/MWh in 10^-7 EUR/kWh
SPOT_STEP = 100


@dataclass(frozen=True)
class Window:
    """From a minute of the local day until another, which is above 1440 on the next day; `days` 0 is Monday."""

    begin: int
    end: int
    months: frozenset[int]
    days: frozenset[int]
    price: int

    def holds(self, clock: datetime) -> bool:
        minute, day = clock.hour * 60 + clock.minute, clock.date()
        begun_today = self._is_day(day) and self.begin <= minute < self.end
        return begun_today or (self._is_day(day - timedelta(days=1)) and minute + 1440 < self.end)

    def _is_day(self, day: date) -> bool:
        return day.month in self.months and day.weekday() in self.days


@dataclass(frozen=True)
class Tariff:
    """The net price of import and export. `levies` by the year from which they hold, the first also before.

    Fees are gross, in cents.
    """

    energy: int
    grid: int = 0
    windows: tuple[Window, ...] = ()
    levies: Mapping[int, int] | None = None
    vat: int = 0
    # percent of the spot price above and below 0
    spot: tuple[int, int] | None = None
    feed_in: int = 0
    feed_in_spot: bool = False
    monthly_cents: int = 0
    yearly_cents: int = 0

    def import_price(self, clock: datetime, spot: int) -> int:
        """In 10^-11 EUR/kWh."""
        grid = next((window.price for window in self.windows if window.holds(clock)), self.grid)
        levies = 0
        if self.levies:
            begun = [year for year in self.levies if year <= clock.year]
            levies = self.levies[max(begun, default=min(self.levies))]
        share = 0 if self.spot is None else SPOT_STEP * spot * self.spot[spot < 0]
        return (100 * (self.energy + grid + levies) + share) * (100 + self.vat)

    def export_price(self, spot: int) -> int:
        """In 10^-11 EUR/kWh; nothing is paid where the spot price is negative."""
        if not self.feed_in_spot:
            return self.feed_in * 100 * 100
        return (self.feed_in + SPOT_STEP * spot) * 100 * 100 if spot >= 0 else 0


@dataclass
class Total:
    imported: int = 0
    exported: int = 0
    fees: Fraction = Fraction(0)

    @property
    def euros(self) -> Fraction:
        return UNIT * (self.imported - self.exported) + self.fees


def totals(tariff: Tariff, first: int, quarters: Iterable[tuple[int, int, int]], tz: ZoneInfo) -> dict[str, Total]:
    """By month, such as 2026-03; `quarters` are import, export and spot price from quarter `first` on."""
    months: dict[str, Total] = {}
    counts: dict[date, int] = {}
    for quarter, (imported, exported, spot) in enumerate(quarters, first):
        clock = datetime.fromtimestamp(quarter * 900, tz)
        month = months.setdefault(f"{clock:%Y-%m}", Total())
        month.imported += imported * tariff.import_price(clock, spot)
        month.exported += exported * tariff.export_price(spot)
        counts[clock.date()] = counts.get(clock.date(), 0) + 1
    for day, count in counts.items():
        begin, end = (
            datetime(each.year, each.month, each.day, tzinfo=tz).timestamp() for each in (day, day + timedelta(days=1))
        )
        days = calendar.monthrange(day.year, day.month)[1], 366 if calendar.isleap(day.year) else 365
        daily = Fraction(tariff.monthly_cents, days[0]) + Fraction(tariff.yearly_cents, days[1])
        months[f"{day:%Y-%m}"].fees += daily / 100 * Fraction(count * 900, int(end - begin))
    return months
