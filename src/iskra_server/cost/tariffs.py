"""How the price of a kWh is made up: of tariffs that are fixed, change by the clock, follow the spot price, or go by
register.

    gross = (spot x factor + energy + grid + levies) x (1 + VAT)        each part a tariff of its own, net, per kWh

A window is half open, in steps of 15 minutes of the local clock. It may cross midnight: then it belongs to the day on
which it begins. A quarter outside all windows has the default price.
"""

from decimal import Context, Decimal
from typing import Literal

from msgspec import Struct

from iskra_server.meter.obis import Obis

Per = Literal["month", "year"]
Pricing = Literal["fixed", "windows", "registers", "spot"]
# more digits than any product of a price, a percentage and a tax has
_EXACT = Context(prec=60)


class PriceWindow(Struct, frozen=True):
    """From quarter of the day `begin` until before `end`, which is above 96 where the window crosses midnight.

    `months` are 1 to 12, `days` 0 (Monday) to 6.
    """

    name: str
    months: frozenset[int]
    days: frozenset[int]
    begin: int
    end: int
    price: Decimal


class SpotShare(Struct, frozen=True):
    """`factor` of the spot price of a zone counts: 1 all of it, 0 none; `factor_negative` where it is below 0.

    An hourly price is the mean of the four quarters. With `unpaid_when_negative` the whole price is 0 where the spot
    price is below 0.
    """

    zone: str
    factor: Decimal = Decimal(1)
    factor_negative: Decimal = Decimal(1)
    is_hourly: bool = False
    unpaid_when_negative: bool = False


class Tariff(Struct, frozen=True):
    """`price` is fixed, the default outside windows, or what is added to the spot price; `registers` replace it."""

    price: Decimal = Decimal(0)
    windows: tuple[PriceWindow, ...] = ()
    spot: SpotShare | None = None
    registers: tuple[tuple[Obis, Decimal], ...] = ()

    @property
    def pricing(self) -> Pricing:
        if self.spot:
            return "spot"
        return "registers" if self.registers else "windows" if self.windows else "fixed"


# the name of each levy, and its net price per kWh
Levies = tuple[tuple[str, Decimal], ...]


class Terms(Struct, frozen=True, kw_only=True):
    """The parts of a price. `levies` are by the year from which they apply, the earliest first; feed-in has no VAT.

    `is_gross`: `energy` is a fixed gross price, and only feed-in has more to say.
    """

    energy: Tariff
    grid: Tariff = Tariff()
    feed_in: Tariff = Tariff()
    levies: tuple[tuple[int, Levies], ...] = ()
    vat_percent: Decimal = Decimal(0)
    is_gross: bool = False


class Fee(Struct, frozen=True):
    """A gross fee beside the price of energy."""

    name: Literal["supplier", "grid", "metering"]
    amount: Decimal
    per: Per


class Rate(Struct, frozen=True):
    """The net parts of one price per kWh; `spot` is what comes on top by the spot price.

    `is_gross`: a price with taxes that has no known parts. `window` is the name of the window, such as HT.
    """

    energy: Decimal
    grid: Decimal = Decimal(0)
    levies: Levies = ()
    vat_percent: Decimal = Decimal(0)
    spot: SpotShare | None = None
    is_gross: bool = False
    window: str = ""

    @property
    def fixed(self) -> Decimal:
        """The net price without the share of the spot price."""
        return sum((price for _, price in self.levies), self.energy + self.grid)

    def with_tax(self, net: Decimal) -> Decimal:
        return _EXACT.multiply(net, 1 + self.vat_percent.scaleb(-2)) if self.vat_percent else net

    def gross(self, spot: Decimal | None = None) -> Decimal | None:
        """The price with VAT, exact; `spot` is the net spot price per kWh. None where it is needed and unknown."""
        share = self.spot
        if share is None:
            return self.with_tax(self.fixed)
        if spot is None:
            return None
        if spot < 0 and share.unpaid_when_negative:
            return Decimal(0)
        factor = share.factor_negative if spot < 0 else share.factor
        return self.with_tax(_EXACT.add(self.fixed, _EXACT.multiply(spot, factor)))
