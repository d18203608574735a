"""Exact amounts of money: energy x price as decimals, base fees by the share of the days that they cover.

A fee per month is spread over the days of that month, one per year over the days of that year, a day over its quarters;
so whole months and years cost exactly their fee, also where the clocks change.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import Levies, Per
from iskra_server.history.model.periods import first_day, first_quarter, next_start, quarter_date
from iskra_server.meter.units import WH_TO_KWH

_DAY = timedelta(days=1)
# a millionth of a euro
_PLACES = Decimal("0.000001")
# more digits than any product of a counter and a price has
_DIGITS = 60
_ZERO = Decimal(0)


class Parts(Struct, frozen=True):
    """What the cost of energy from the grid is made up of, net but for `vat`; `unsplit` is gross, of unknown parts."""

    unsplit: Decimal = _ZERO
    energy: Decimal = _ZERO
    grid: Decimal = _ZERO
    levies: Levies = ()
    vat: Decimal = _ZERO

    def __add__(self, other: "Parts") -> "Parts":
        levies = dict(self.levies)
        for name, amount_of_levy in other.levies:
            levies[name] = levies.get(name, _ZERO) + amount_of_levy
        with localcontext(prec=_DIGITS):
            return Parts(
                self.unsplit + other.unsplit,
                self.energy + other.energy,
                self.grid + other.grid,
                tuple(levies.items()),
                self.vat + other.vat,
            )

    @property
    def levies_total(self) -> Decimal:
        return sum((amount_of_levy for _, amount_of_levy in self.levies), _ZERO)

    @property
    def total(self) -> Decimal:
        with localcontext(prec=_DIGITS):
            return self.unsplit + self.energy + self.grid + self.levies_total + self.vat


class Amount(Struct, frozen=True):
    """Cost of imported energy, pay for exported energy, and base fees, in the currency of the contract.

    `base` has `credit` subtracted, that of par. 14a EnWG. Energy without a known price is in no amount. Energy of gaps
    over which the price changes is estimated: it is in `imported` and `exported`, and `estimated` is its cost.
    """

    imported: Decimal = _ZERO
    exported: Decimal = _ZERO
    base: Fraction = Fraction(0)
    credit: Fraction = Fraction(0)
    parts: Parts = Parts()
    unpriced_import_wh: Decimal = _ZERO
    unpriced_export_wh: Decimal = _ZERO
    estimated_import_wh: Decimal = _ZERO
    estimated_export_wh: Decimal = _ZERO
    estimated: Decimal = _ZERO

    def __add__(self, other: "Amount") -> "Amount":
        with localcontext(prec=_DIGITS):
            return Amount(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})

    @property
    def has_unpriced(self) -> bool:
        """Whether it lacks the cost of some energy."""
        return bool(self.unpriced_import_wh or self.unpriced_export_wh)

    @property
    def total(self) -> Decimal:
        with localcontext(prec=_DIGITS):
            return self.imported - self.exported + round_fraction(self.base)


def energy_cost(energy_wh: Decimal, per_kwh: Decimal) -> Decimal:
    with localcontext(prec=_DIGITS):
        return (energy_wh * per_kwh).scaleb(WH_TO_KWH)


def base_fee(contract: Contract, begin: int, end: int, tz: ZoneInfo) -> Fraction:
    """All fees from quarter `begin` until before quarter `end`, exact."""
    return sum((fee_share(fee.amount, fee.per, begin, end, tz) for fee in contract.fees), start=Fraction(0))


def grid_cost(contract: Contract, net: Decimal | Fraction, begin: int, end: int, tz: ZoneInfo) -> Fraction:
    """What the grid costs in a period with tax: `net` for its energy, and the fixed fees of the grid."""
    tax = 1 + Fraction(contract.terms.vat_percent if contract.terms else 0) / 100
    fees = (fee_share(fee.amount, fee.per, begin, end, tz) for fee in contract.fees if fee.name == "grid")
    return sum(fees, start=Fraction(net) * tax)


def grid_credit(contract: Contract, begin: int, end: int, tz: ZoneInfo) -> Fraction:
    """The credit of par. 14a EnWG, module 1, for a period, positive; what it exceeds the grid fee by is not paid."""
    return fee_share(contract.grid_credit, "year", begin, end, tz)


def fee_share(amount: Decimal, per: Per, begin: int, end: int, tz: ZoneInfo) -> Fraction:
    """The share of a fee that falls to the quarters from `begin` until before `end`, exact."""
    if not amount:
        return Fraction(0)
    # whole days are counted as integers: adding fractions takes a microsecond each
    days: dict[int, Fraction | int] = defaultdict(int)
    for day, share in _days(begin, end, tz):
        days[_days_of(day, per)] += share
    return Fraction(amount) * sum((Fraction(count) / length for length, count in days.items()), start=Fraction(0))


def round_fraction(exact: Fraction) -> Decimal:
    """Rounded to a millionth, as most fractions have endless decimals."""
    with localcontext(prec=_DIGITS):
        return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(_PLACES)


def _days(begin: int, end: int, tz: ZoneInfo) -> Iterator[tuple[date, Fraction | int]]:
    """The local days of a period, and the share of each day that lies in it."""
    day = quarter_date(begin, tz)
    first = first_quarter(day, tz)
    while first < end:
        last = first_quarter(day + _DAY, tz)
        if inside := max(0, min(last, end) - max(first, begin)):
            yield day, 1 if inside == last - first else Fraction(inside, last - first)
        day, first = day + _DAY, last


def _days_of(day: date, per: Per) -> int:
    """How many days the month or year of a day has."""
    start = first_day(day, per)
    return (next_start(start, per) - start).days
