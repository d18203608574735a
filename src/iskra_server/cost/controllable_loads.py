"""What par. 14a EnWG asks of a grid fee for controllable devices: module 1, a credit, and module 3, three steps.

Determination BK8-22/010-A of the Federal Network Agency, in force for module 3 since 2025-04-01:

    module 3    only together with module 1
    HT          at most twice the standard price ST, at least two hours a day
    NT          10 % to 40 % of ST
    applied     in at least two quarters of the year; in the others ST holds all day

A price sheet that breaks a rule may have been read wrongly: that is a warning, as the server counts what it is told.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from iskra_server.config import GridConfig
from iskra_server.config.findings import Finding
from iskra_server.cost.contract_sentences import doubt
from iskra_server.cost.tariffs import PriceWindow, Tariff

_MODULE_3 = 3
_MIN_HIGH_SLOTS = 8
_HIGHEST = Decimal(2)
_LOW = Decimal("0.1"), Decimal("0.4")
_MIN_QUARTERS = 2
_YEAR_QUARTERS = tuple(frozenset(range(first, first + 3)) for first in (1, 4, 7, 10))
_WEEK = 7


def module_findings(configured: GridConfig, grid: Tariff, path: str) -> Iterator[Finding]:
    """Warnings on a grid fee; `path` is "contracts.1.grid"."""
    key = f"{path}.module"
    if configured.module and not configured.credit:
        yield doubt("no_credit", f"{path}.credit")
    if configured.module != _MODULE_3:
        return
    if not grid.windows:
        yield doubt("module_windows", key)
        return
    high = [window for window in grid.windows if window.price > grid.price]
    low = [window for window in grid.windows if window.price < grid.price]
    if len({window.price for window in high}) != 1 or len({window.price for window in low}) != 1:
        yield doubt("module_steps", key)
    if any(window.price > grid.price * _HIGHEST for window in high):
        yield doubt("module_high", key, highest=grid.price * _HIGHEST)
    lowest, highest = (grid.price * share for share in _LOW)
    if not all(lowest <= window.price <= highest for window in low):
        yield doubt("module_low", key, lowest=lowest, highest=highest)
    if high and _min_slots(high) < _MIN_HIGH_SLOTS:
        yield doubt("module_hours", key)
    months = frozenset(month for window in grid.windows for month in window.months)
    if sum(quarter <= months for quarter in _YEAR_QUARTERS) < _MIN_QUARTERS:
        yield doubt("module_quarters", key)


def _min_slots(windows: Sequence[PriceWindow]) -> int:
    """In slots, how long windows are on the day of the week and month on which they are shortest."""
    months = frozenset(month for window in windows for month in window.months)
    return min(
        sum(window.end - window.begin for window in windows if month in window.months and day in window.days)
        for month in months
        for day in range(_WEEK)
    )
