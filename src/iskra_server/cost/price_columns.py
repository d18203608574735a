"""Gross prices by the quarter as integers: a year of a spot price in some ten milliseconds, exact.

The price of quarter begin + i is column[i] x 10^scaler per kWh. Spot prices come and stay integers: the scaler is so
fine that no percentage needs rounding.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.contracts import Contract
from iskra_server.cost.price_runs import PriceRun, contract_runs, price_runs
from iskra_server.cost.tariffs import Rate, SpotShare
from iskra_server.history.model.periods import QUARTERS_PER_HOUR

# spot prices are integers of 10^-6 EUR/MWh, that is 10^-9 EUR/kWh
SPOT_SCALER = -9
# of a column of spot prices: the mean of four quarters needs two digits more
SPOT_COLUMN_SCALER = SPOT_SCALER - 2

# a zone, the first quarter and the one after the last -> quarter -> 10^-6 EUR/MWh; absent where it is unknown
Spot = Callable[[str, int, int], Mapping[int, int]]


class PriceColumns(Struct, frozen=True):
    """None: the spot price is unknown, no contract has begun, or the price depends on the register."""

    scaler: int
    imports: list[int | None]
    exports: list[int | None]


def no_spot_prices(_zone: str, _begin: int, _end: int) -> Mapping[int, int]:
    return {}


def price_columns(contract: Contract, begin: int, end: int, spot: Spot, tz: ZoneInfo) -> PriceColumns:
    """The prices of one contract from quarter `begin` until before `end`, wherever the contract begins."""
    return columns_of_runs(contract_runs(contract, begin, end, tz), begin, end, spot)


def price_columns_of(contracts: Sequence[Contract], begin: int, end: int, spot: Spot, tz: ZoneInfo) -> PriceColumns:
    """The prices of each quarter under the contract of its day."""
    return columns_of_runs(price_runs(contracts, begin, end, tz), begin, end, spot)


def spot_column(share: SpotShare, begin: int, end: int, spot: Spot) -> list[int | None]:
    """The spot price of each quarter in 10^-11 EUR/kWh; None where it is unknown."""
    to_unit = 10 ** (SPOT_SCALER - SPOT_COLUMN_SCALER)
    if not share.is_hourly:
        prices = spot(share.zone, begin, end)
        return [None if raw is None else raw * to_unit for raw in map(prices.get, range(begin, end))]
    first, last = whole_hours(begin, end)
    prices = spot(share.zone, first, last)
    column: list[int | None] = []
    for hour in range(first, last, QUARTERS_PER_HOUR):
        raws = [prices[quarter] for quarter in range(hour, hour + QUARTERS_PER_HOUR) if quarter in prices]
        mean = sum(raws) * to_unit // QUARTERS_PER_HOUR if len(raws) == QUARTERS_PER_HOUR else None
        column += [mean] * QUARTERS_PER_HOUR
    return column[begin - first : end - first]


def whole_hours(begin: int, end: int) -> tuple[int, int]:
    """The quarters where the first and the last hour that a span touches begin and end."""
    return begin - begin % QUARTERS_PER_HOUR, end + -end % QUARTERS_PER_HOUR


class _RawRate(Struct, frozen=True):
    """A gross price as integers: `fixed`, and per unit of the spot price, where that is above 0 and where below."""

    fixed: int
    share: SpotShare | None = None
    factor: int = 0
    fixed_below: int = 0
    factor_below: int = 0


def spot_columns(rates: Iterable[Rate], begin: int, end: int, spot: Spot) -> dict[SpotShare, list[int | None]]:
    """The spot prices that rates follow; parts of a price that follow the same ones share their column."""
    # many runs have one rate
    shares = {id(rate): rate.spot for rate in rates if rate.spot}
    columns: dict[tuple[str, bool], list[int | None]] = {}
    for share in shares.values():
        key = share.zone, share.is_hourly
        if key not in columns:
            columns[key] = spot_column(share, begin, end, spot)
    return {share: columns[share.zone, share.is_hourly] for share in shares.values()}


def columns_of_runs(runs: Sequence[PriceRun], begin: int, end: int, spot: Spot) -> PriceColumns:
    """The prices of runs from quarter `begin` until before `end`; None before the first."""
    # runs share their rates: there are a few, and looking them up by identity is fast
    rates = {id(rate): rate for run in runs for rate in (*(rate for _, rate in run.imports), run.feed_in)}
    scaler = min(map(_scaler, rates.values()), default=0)
    raw_rates = {key: _raw_rate(rate, scaler) for key, rate in rates.items()}
    spots = spot_columns(rates.values(), begin, end, spot)
    # before the first contract there is no price; after it there are no gaps
    without = (runs[0].begin if runs else end) - begin
    imports: list[int | None] = [None] * without
    exports: list[int | None] = [None] * without
    for run in runs:
        place = slice(run.begin - begin, run.end - begin)
        if len(run.imports) == 1:
            imports += _column(raw_rates[id(run.imports[0][1])], place, spots)
        else:
            imports += [None] * (run.end - run.begin)
        exports += _column(raw_rates[id(run.feed_in)], place, spots)
    return PriceColumns(scaler, imports, exports)


def _column(rate: _RawRate, place: slice, spots: Mapping[SpotShare, list[int | None]]) -> Iterable[int | None]:
    if rate.share is None:
        return [rate.fixed] * (place.stop - place.start)
    fixed, factor, fixed_below, factor_below = rate.fixed, rate.factor, rate.fixed_below, rate.factor_below
    return [
        None if price is None else fixed + price * factor if price >= 0 else fixed_below + price * factor_below
        for price in spots[rate.share][place]
    ]


def _raw_rate(rate: Rate, scaler: int) -> _RawRate:
    fixed, share = raw(rate.with_tax(rate.fixed), scaler), rate.spot
    if share is None:
        return _RawRate(fixed)
    factor, below = (
        raw(rate.with_tax(one), scaler - SPOT_COLUMN_SCALER) for one in (share.factor, share.factor_negative)
    )
    return _RawRate(fixed, share, factor, *((0, 0) if share.unpaid_when_negative else (fixed, below)))


def raw(value: Decimal, scaler: int) -> int:
    """The integer that is `value` at a scaler that is fine enough for it."""
    sign, digits, exponent = value.as_tuple()
    shift = int(exponent) - scaler
    number = int("".join(map(str, digits))) * (-1 if sign else 1)
    return number * int(10**shift) if shift >= 0 else number // int(10**-shift)


def _scaler(rate: Rate) -> int:
    """The scaler at which nothing of a rate is lost."""
    exponents = [_exponent(rate.with_tax(rate.fixed))]
    if share := rate.spot:
        factors = (share.factor, share.factor_negative)
        exponents += [SPOT_COLUMN_SCALER + _exponent(rate.with_tax(factor)) for factor in factors]
    return min(0, *exponents)


def _exponent(value: Decimal) -> int:
    return int(value.as_tuple().exponent)
