"""The price of every quarter: runs of quarters with the same parts of a price, cut where any of them changes.

    contracts   |------------ A ------------|------- B ------      the one truth for bill, comparison, page, feed, MQTT
    levies      |--- 2025 ---|--- 2026 ---------------------
    windows     |-ST-|HT|-ST-|NT|-ST-|HT|---|----------------
    runs        |----|--|----|--|----|--|---|----------------

A local day is a row of 96 slots of 15 minutes. On the days on which the clocks change each quarter is looked up by its
local time: a slot is missing, or there twice.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import cast
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.contracts import Contract, contract_periods
from iskra_server.cost.tariffs import Levies, Rate, Tariff, Terms
from iskra_server.history.model.periods import (
    QUARTERS_OF_DAY,
    first_quarter,
    quarter_date,
    quarter_of_day,
    quarter_time,
)
from iskra_server.meter.obis import IMPORT, Obis

_DAY = timedelta(days=1)
_NO_WINDOW = -1
# the window of energy, of grid and of feed-in; _NO_WINDOW is the default price
_Windows = tuple[int, int, int]
_DEFAULTS = _NO_WINDOW, _NO_WINDOW, _NO_WINDOW
# where a price may change: the quarter, the year of the levies, and the windows from there on
_Piece = tuple[int, int, _Windows]
# the rates of each import register, and that of feed-in
_Rates = tuple[tuple[tuple[Obis, Rate], ...], Rate]


class PriceRun(Struct, frozen=True):
    """From quarter `begin` until before quarter `end` nothing but the spot price changes the price.

    `imports` has one entry, for 1.8.0; in a contract by registers one for each of them.
    """

    begin: int
    end: int
    contract: Contract
    imports: tuple[tuple[Obis, Rate], ...]
    feed_in: Rate


def price_runs(contracts: Sequence[Contract], begin: int, end: int, tz: ZoneInfo) -> list[PriceRun]:
    """Each under the contract of its day; none before the first contract."""
    periods = contract_periods(contracts, begin, end, tz)
    return [run for period in periods for run in contract_runs(period.contract, period.begin, period.end, tz)]


def contract_runs(contract: Contract, begin: int, end: int, tz: ZoneInfo) -> list[PriceRun]:
    """The prices of one contract from quarter `begin` until before `end`, wherever the contract begins."""
    terms = contract.terms
    if begin >= end:
        return []
    if terms is None:
        prices = Rate(contract.energy_price, is_gross=True), Rate(contract.feed_in, is_gross=True)
        return [PriceRun(begin, end, contract, ((IMPORT, prices[0]),), prices[1])]
    has_windows = any(tariff.windows for tariff in (terms.energy, terms.grid, terms.feed_in))
    pieces = (_days if has_windows else _years)(terms, begin, end, tz)
    # the first piece of each row of equal ones
    starts = [next(equal) for _, equal in groupby(pieces, lambda piece: piece[1:])]
    rates: dict[tuple[int, _Windows], _Rates] = {}
    runs = []
    for (first, *key), last in zip(starts, [*(start[0] for start in starts[1:]), end], strict=True):
        parts = cast("tuple[int, _Windows]", tuple(key))
        if parts not in rates:
            rates[parts] = _rates(terms, *parts)
        if max(first, begin) < min(last, end):
            runs.append(PriceRun(max(first, begin), min(last, end), contract, *rates[parts]))
    return runs


def registers_of(contract: Contract) -> tuple[Obis, ...]:
    """The counters of its energy from the grid."""
    return contract.registers or (IMPORT,)


def _days(terms: Terms, begin: int, end: int, tz: ZoneInfo) -> Iterator[_Piece]:
    """The pieces of all local days that the span touches."""
    days: dict[tuple[int, int, int, int], list[tuple[int, _Windows]]] = {}
    day = quarter_date(begin, tz)
    first = first_quarter(day, tz)
    while first < end:
        before, after = day - _DAY, day + _DAY
        key = day.month, day.weekday(), before.month, before.weekday()
        changes = days.get(key) or days.setdefault(key, _changes(terms, day, before))
        next_first, year = first_quarter(after, tz), _levies_year(terms, day.year)
        if next_first - first == QUARTERS_OF_DAY and _has_one_offset(first, next_first, tz):
            yield from ((first + slot, year, windows) for slot, windows in changes)
        else:
            yield from ((quarter, year, windows) for quarter, windows in _by_clock(changes, first, next_first, tz))
        day, first = after, next_first


def _years(terms: Terms, begin: int, end: int, tz: ZoneInfo) -> Iterator[_Piece]:
    """The pieces without any window."""
    year = quarter_time(begin, tz).year
    yield begin, _levies_year(terms, year), _DEFAULTS
    for later, _ in terms.levies:
        if later > year and (quarter := first_quarter(date(later, 1, 1), tz)) < end:
            yield quarter, later, _DEFAULTS


def _changes(terms: Terms, day: date, before: date) -> list[tuple[int, _Windows]]:
    """The slots of a day at which a window begins or ends, and the windows from there on."""
    columns = [_slots(tariff, day, before) for tariff in (terms.energy, terms.grid, terms.feed_in)]
    slots = list(zip(*columns, strict=True))
    return [
        (slot, (slots[slot][0], slots[slot][1], slots[slot][2]))
        for slot in range(QUARTERS_OF_DAY)
        if slot == 0 or slots[slot] != slots[slot - 1]
    ]


def _slots(tariff: Tariff, day: date, before: date) -> list[int]:
    """The window of each slot of a day."""
    slots = [_NO_WINDOW] * QUARTERS_OF_DAY
    for index, window in enumerate(tariff.windows):
        if day.month in window.months and day.weekday() in window.days:
            last = min(window.end, QUARTERS_OF_DAY)
            slots[window.begin : last] = [index] * (last - window.begin)
        if window.end > QUARTERS_OF_DAY and before.month in window.months and before.weekday() in window.days:
            slots[: window.end - QUARTERS_OF_DAY] = [index] * (window.end - QUARTERS_OF_DAY)
    return slots


def _by_clock(
    changes: Sequence[tuple[int, _Windows]], first: int, end: int, tz: ZoneInfo
) -> Iterator[tuple[int, _Windows]]:
    """The windows of each quarter of a day on which the clocks change."""
    for quarter in range(first, end):
        slot = quarter_of_day(quarter_time(quarter, tz))
        yield quarter, max((change for change in changes if change[0] <= slot), key=lambda change: change[0])[1]


def _rates(terms: Terms, year: int, windows: _Windows) -> _Rates:
    energy, grid, feed_in = terms.energy, terms.grid, terms.feed_in
    energy_price, energy_name = _price(energy, windows[0])
    grid_price, grid_name = _price(grid, windows[1])
    feed_in_price, feed_in_name = _price(feed_in, windows[2])
    levies: Levies = dict(terms.levies).get(year, ())
    name = " ".join(filter(None, (energy_name, grid_name)))
    grid_prices = dict(grid.registers)
    registers = energy.registers or tuple((obis, energy_price) for obis in grid_prices) or ((IMPORT, energy_price),)
    imports = tuple(
        (
            obis,
            Rate(
                price, grid_prices.get(obis, grid_price), levies, terms.vat_percent, energy.spot, terms.is_gross, name
            ),
        )
        for obis, price in registers
    )
    return imports, Rate(feed_in_price, spot=feed_in.spot, window=feed_in_name)


def _price(tariff: Tariff, window: int) -> tuple[Decimal, str]:
    if window == _NO_WINDOW:
        return tariff.price, ""
    return tariff.windows[window].price, tariff.windows[window].name


def _levies_year(terms: Terms, year: int) -> int:
    """The year whose levies apply: the latest that has begun, else the first."""
    begun = [first for first, _ in terms.levies if first <= year]
    return begun[-1] if begun else terms.levies[0][0] if terms.levies else 0


def _has_one_offset(first: int, end: int, tz: ZoneInfo) -> bool:
    begin, last = (quarter_time(quarter, tz) for quarter in (first, end - 1))
    return begin.utcoffset() == last.utcoffset()
