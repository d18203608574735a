"""Spot prices as a curve of bars in the terminal: an hour a row, or a day a row where there are many."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

from msgspec import Struct
from rich.table import Table

from iskra_server.history.model.periods import quarter_time

# more hours fill several screens
MAX_HOURS = 73
_BAR = 30
# EUR/MWh -> ct/kWh
_CENTS = Decimal("0.1")
_TWO_PLACES = Decimal("0.01")


class PriceRow(Struct, frozen=True):
    """Prices in EUR/MWh of the quarters of an hour or day; their mean is rounded only when it is shown."""

    name: str
    prices: tuple[Decimal, ...]

    @property
    def mean(self) -> Decimal:
        return sum(self.prices, Decimal(0)) / len(self.prices)


def price_rows(prices: Mapping[int, Decimal], tz: ZoneInfo) -> list[PriceRow]:
    """In order of time; what has no price has no row."""
    moments = {quarter: quarter_time(quarter, tz) for quarter in sorted(prices)}
    form = "%Y-%m-%d %H:00 %Z" if len(prices) <= 4 * MAX_HOURS else "%Y-%m-%d"
    named = groupby(moments, lambda quarter: moments[quarter].strftime(form))
    return [PriceRow(name, tuple(prices[quarter] for quarter in quarters)) for name, quarters in named]


def price_curve(rows: list[PriceRow]) -> Table:
    """Mean in ct/kWh, lowest and highest in EUR/MWh, and a bar that begins at 0, to the left for prices below 0."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    for title in ("ct/kWh", "EUR/MWh from", "to"):
        table.add_column(title, justify="right")
    table.add_column("")
    bars = _bars([row.mean for row in rows])
    for row, bar in zip(rows, bars, strict=True):
        shown = row.mean * _CENTS, min(row.prices), max(row.prices)
        table.add_row(row.name, *(str(value.quantize(_TWO_PLACES)) for value in shown), bar)
    return table


def _bars(means: list[Decimal]) -> Iterator[str]:
    low, high = min([*means, Decimal(0)]), max([*means, Decimal(0)])
    width = high - low or Decimal(1)
    zero = _cells(-low, width)
    for mean in means:
        length = max(_cells(abs(mean), width), 1 if mean else 0)
        yield f"{' ' * (zero - length)}{'▒' * length}" if mean < 0 else f"{' ' * zero}{'█' * length}"


def _cells(amount: Decimal, width: Decimal) -> int:
    return round(_BAR * amount / width)
