"""The credit of par. 14a EnWG, module 1: by days, and in sum never more than the grid has cost.

    year begins   |~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~|
    moments             a         b         c              until t: min(credit by days, grid fees), since the year
    steps               |---------|---------|              began; a step has what is credited until b, less until a

What is credited until a moment depends on that moment alone, so the steps of a period add up to the period.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

from iskra_server.cost.amounts import grid_cost, grid_credit
from iskra_server.cost.contracts import Contract
from iskra_server.cost.metered_use import MeteredUse
from iskra_server.cost.price_columns import Spot
from iskra_server.cost.price_runs import contract_runs
from iskra_server.history.model.periods import first_quarter, quarter_time
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.meter.obis import Obis


def bucket_credits(
    counters: Mapping[Obis, CounterHistory],
    contract: Contract,
    span: tuple[int, int],
    edges: Sequence[int],
    *,
    first: int,
    spot: Spot,
    tz: ZoneInfo,
) -> Iterator[tuple[int, Fraction]]:
    """The place of a bucket of `edges`, and what is credited in it; only within `span`, which lies in the contract.

    `first` is the quarter of the first reading. Raises StoreError.
    """
    begin, end = max(span[0], first), span[1]
    for year_begin, year_end in _years(begin, end, tz):
        since = max(year_begin, first_quarter(contract.begins, tz), first)
        low, high = max(since, begin), min(year_end, end)
        inner = edges[bisect_right(edges, low) : bisect_left(edges, high)]
        moments = sorted({since, low, *inner, high})
        credits = [grid_credit(contract, *step, tz) for step in pairwise(moments)]
        fees = _grid_fees(counters, contract, moments, spot, tz)
        for moment, amount in zip(moments, credited(credits, fees), strict=False):
            if moment >= low:
                yield bisect_right(edges, moment) - 1, amount


def credited(credits: Iterable[Fraction], grid_fees: Iterable[Fraction]) -> Iterator[Fraction]:
    """What of the credit counts in each step of a year: in sum, since it began, never more than the grid fees."""
    credit_so_far = fees_so_far = before = Fraction(0)
    for credit, fees in zip(credits, grid_fees, strict=True):
        credit_so_far, fees_so_far = credit_so_far + credit, fees_so_far + fees
        now = min(credit_so_far, fees_so_far)
        yield now - before
        before = now


def _grid_fees(
    counters: Mapping[Obis, CounterHistory], contract: Contract, edges: Sequence[int], spot: Spot, tz: ZoneInfo
) -> Iterator[Fraction]:
    """The gross grid fees from each quarter until the next."""
    runs = partial(contract_runs, contract, tz=tz)
    use = MeteredUse(counters, runs, edges, spot, tz, counts_crossing=True)
    for (begin, end), bucket in zip(pairwise(edges), use.buckets, strict=True):
        yield grid_cost(contract, bucket.amount().parts.grid, begin, end, tz)


def _years(begin: int, end: int, tz: ZoneInfo) -> Iterator[tuple[int, int]]:
    """The calendar years that a span touches."""
    if begin < end:
        first, last = (quarter_time(quarter, tz).year for quarter in (begin, end - 1))
        for year in range(first, last + 1):
            yield first_quarter(date(year, 1, 1), tz), first_quarter(date(year + 1, 1, 1), tz)
