"""Exact amounts of money: energy x price as decimals, base fees by the share of the days that they cover.

A fee per month is spread over the days of that month, one per year over the days of that year, a day over its quarters;
so whole months and years cost exactly their fee, also where the clocks change.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import Per
from iskra_server.history.model.periods import first_day, local_midnight, next_start
from iskra_server.history.model.records import QUARTER_S, quarter_of

_DAY = timedelta(days=1)
_WH_TO_KWH = -3
# a millionth of a euro
_PLACES = Decimal("0.000001")
# more digits than any product of a counter and a price has
_DIGITS = 60


class Amount(Struct, frozen=True):
    """Cost of imported energy, pay for exported energy, and base fees, in the currency of the contract."""

    imported: Decimal = Decimal(0)
    exported: Decimal = Decimal(0)
    base: Fraction = Fraction(0)

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.imported + other.imported, self.exported + other.exported, self.base + other.base)

    @property
    def total(self) -> Decimal:
        return self.imported - self.exported + round_fraction(self.base)


def amount(contract: Contract, import_wh: Decimal | None, export_wh: Decimal | None, base: Fraction) -> Amount:
    """The amount for energy and a share of the base fee; None, not measured, counts as 0."""
    return Amount(
        energy_cost(import_wh or Decimal(0), contract.energy_price),
        energy_cost(export_wh or Decimal(0), contract.feed_in),
        base,
    )


def energy_cost(energy_wh: Decimal, per_kwh: Decimal) -> Decimal:
    with localcontext(prec=_DIGITS):
        return (energy_wh * per_kwh).scaleb(_WH_TO_KWH)


def base_fee(contract: Contract, begin: int, end: int, tz: ZoneInfo) -> Fraction:
    """All fees from quarter `begin` until before quarter `end`, exact."""
    return sum((fee_share(fee.amount, fee.per, begin, end, tz) for fee in contract.fees), start=Fraction(0))


def grid_credit(contract: Contract, begin: int, end: int, tz: ZoneInfo) -> Fraction:
    """The credit of par. 14a EnWG, module 1, for a period, positive; what it exceeds the grid fee by is not paid."""
    return fee_share(contract.grid_credit, "year", begin, end, tz)


def fee_share(amount: Decimal, per: Per, begin: int, end: int, tz: ZoneInfo) -> Fraction:
    """The share of a fee that falls to the quarters from `begin` until before `end`, exact."""
    if not amount:
        return Fraction(0)
    shares = (share / _days_of(day, per) for day, share in _days(begin, end, tz))
    return Fraction(amount) * sum(shares, start=Fraction(0))


def round_fraction(exact: Fraction) -> Decimal:
    """Rounded to a millionth, as most fractions have endless decimals."""
    with localcontext(prec=_DIGITS):
        return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(_PLACES)


def _days(begin: int, end: int, tz: ZoneInfo) -> Iterator[tuple[date, Fraction]]:
    """The local days of a period, and the share of each day that lies in it."""
    day = datetime.fromtimestamp(begin * QUARTER_S, tz).date()
    first = _quarter(day, tz)
    while first < end:
        last = _quarter(day + _DAY, tz)
        if inside := max(0, min(last, end) - max(first, begin)):
            yield day, Fraction(inside, last - first)
        day, first = day + _DAY, last


def _days_of(day: date, per: Per) -> int:
    """How many days the month or year of a day has."""
    start = first_day(day, per)
    return (next_start(start, per) - start).days


def _quarter(day: date, tz: ZoneInfo) -> int:
    return quarter_of(local_midnight(day, tz).timestamp())
