"""A curve of power over a period, in no more points than a chart can show.

    W |    .-max                 Each point stands for the same length of time: its minimum, mean and maximum. Where
      | --'--mean   gap   --     nothing was measured there is no point; a value holds for 60 s, longer silence is a
      |    '-min                 gap. Power in mW, + import, - export; times in Unix seconds.

In the mean every telegram counts the same; a block of telegrams counts by the time that it shares with the point, a
quarter of an hour by its telegrams. A block counts whole in every point that it reaches into: no minimum or maximum is
lost, it may show up to a block too early or too late. A closed quarter is written soon after it, a telegram at most an
hour later: so young an end of the curve is no gap.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby, pairwise
from operator import itemgetter

from msgspec import Struct

from iskra_server.history.model.moment import SECOND_US
from iskra_server.history.model.power_ledger import HOLDS_US, MAX_MW, milliwatt_ratio
from iskra_server.history.model.records import (
    MAX_BLOCK_S,
    QUARTER_S,
    PointBlock,
    PowerBlock,
    PowerQuarter,
    quarter_from,
)
from iskra_server.history.points.points import read_column
from iskra_server.meter.signed_power import POWER

_MS = 1000
HOLDS_S = HOLDS_US // SECOND_US

TimeSpan = tuple[int, int]


class CurvePoint(Struct, frozen=True, gc=False):
    """The power of `resolution_s` from `begin_s` on."""

    begin_s: int
    min_mw: int
    mean_mw: int
    max_mw: int


class Curve(Struct, frozen=True):
    """`resolution_s` is how much time a point stands for; `gaps` are in order."""

    resolution_s: int
    points: list[CurvePoint]
    gaps: list[TimeSpan]


class PowerValues(Struct, frozen=True):
    """The power of telegrams in order of time: Unix milliseconds and mW."""

    at_ms: list[int]
    power_mw: list[int]


def seconds_per_point(period: TimeSpan, at_most: int) -> int:
    """How many seconds a point stands for, if there may be `at_most` points."""
    return max(1, -(-(period[1] - period[0]) // at_most))


def power_of_telegrams(blocks: Iterable[PointBlock], period: TimeSpan) -> PowerValues:
    """The power in blocks of points, within a period. Raises ValueError where one is damaged."""
    rows = [row for block in blocks for row in _power(block.data)]
    # in order unless a clock went back
    rows.sort()
    first, last = (bisect_left(rows, (moment_s * _MS,)) for moment_s in period)
    return PowerValues([at_ms for at_ms, _ in rows[first:last]], [power_mw for _, power_mw in rows[first:last]])


def curve_of_telegrams(telegrams: PowerValues, period: TimeSpan, expected: TimeSpan, at_most: int) -> Curve:
    """At most so many points of at least a second; `expected` is the part of the period that must have values."""
    begin_s, end_s = period
    resolution_s = seconds_per_point(period, at_most)
    begins = range(begin_s, end_s, resolution_s)
    cuts = [bisect_left(telegrams.at_ms, moment_s * _MS) for moment_s in (*begins, end_s)]
    points = [
        _point(begin_s, telegrams.power_mw[first:last])
        for begin_s, (first, last) in zip(begins, pairwise(cuts), strict=True)
        if first < last
    ]
    longest_ms = HOLDS_S * _MS
    gaps = [(before // _MS, after // _MS) for before, after in pairwise(telegrams.at_ms) if after - before > longest_ms]
    recorded = (telegrams.at_ms[0] // _MS, telegrams.at_ms[-1] // _MS) if points else None
    return Curve(resolution_s, points, _with_ends(gaps, recorded, expected))


def curve_of_blocks(blocks: Sequence[PowerBlock], period: TimeSpan, expected: TimeSpan, at_most: int) -> Curve:
    """As `curve_of_telegrams`, from blocks in order that are no longer than a point."""
    resolution_s = seconds_per_point(period, at_most)
    firsts = [block.first_s for block in blocks]
    # growing, also where a clock went back
    lasts = list(accumulate((block.last_s for block in blocks), max))
    points = []
    for begin_s in range(*period, resolution_s):
        end_s = min(begin_s + resolution_s, period[1])
        overlapping = blocks[bisect_left(lasts, begin_s) : bisect_left(firsts, end_s)]
        if overlapping:
            points.append(_weighted(begin_s, end_s, overlapping))
    silences = zip(lasts, firsts[1:], strict=False)
    gaps = [(before_s, after_s) for before_s, after_s in silences if after_s - before_s > HOLDS_S]
    recorded = (firsts[0], lasts[-1]) if blocks else None
    return Curve(resolution_s, points, _with_ends(gaps, recorded, expected))


def curve_of_quarters(quarters: Sequence[PowerQuarter], period: TimeSpan, expected: TimeSpan, at_most: int) -> Curve:
    """At most so many points of one or more quarters each."""
    first, end = period[0] // QUARTER_S, quarter_from(period[1])
    step = max(1, -(-(end - first) // at_most))
    groups = groupby(quarters, key=lambda quarter: (quarter.quarter - first) // step)
    points = [_summed((first + number * step) * QUARTER_S, list(group)) for number, group in groups]
    gaps = [
        ((before.quarter + 1) * QUARTER_S, after.quarter * QUARTER_S)
        for before, after in pairwise(quarters)
        if after.quarter - before.quarter > 1
    ]
    recorded = (quarters[0].quarter * QUARTER_S, (quarters[-1].quarter + 1) * QUARTER_S) if quarters else None
    return Curve(step * QUARTER_S, points, _with_ends(gaps, recorded, expected))


def _with_ends(gaps: list[TimeSpan], recorded: TimeSpan | None, expected: TimeSpan) -> list[TimeSpan]:
    """The gaps, with those before the first and after the last recorded value."""
    begin_s, end_s = expected
    first_s, last_s = recorded or (begin_s, begin_s)
    head = [(begin_s, first_s)] if first_s - begin_s > HOLDS_S else []
    tail = [(last_s, end_s)] if end_s - last_s > MAX_BLOCK_S else []
    return [*head, *gaps, *tail]


def _power(data: bytes) -> Iterator[tuple[int, int]]:
    """Unix milliseconds and signed power of each telegram, in mW, by the rule of `power_mw`."""
    for scaler, rows in groupby(read_column(data, POWER), key=itemgetter(2)):
        factor, divisor = milliwatt_ratio(scaler)
        for at_ms, raw, _ in rows:
            if -MAX_MW <= (power := raw * factor // divisor) <= MAX_MW:
                yield at_ms, power


def _point(begin_s: int, power_mw: Sequence[int]) -> CurvePoint:
    return CurvePoint(begin_s, min(power_mw), sum(power_mw) // len(power_mw), max(power_mw))


def _weighted(begin_s: int, end_s: int, blocks: Sequence[PowerBlock]) -> CurvePoint:
    """Weighted by the seconds of each block in the point; one loop, as a curve has a thousand points."""
    min_mw, max_mw = blocks[0].min_mw, blocks[0].max_mw
    sum_mws = sum_s = 0
    for block in blocks:
        first_s, after_s = block.first_s, block.last_s + 1
        shared_s = (after_s if after_s < end_s else end_s) - (first_s if first_s > begin_s else begin_s)
        if shared_s > 0:
            min_mw = block.min_mw if block.min_mw < min_mw else min_mw
            max_mw = block.max_mw if block.max_mw > max_mw else max_mw
            sum_mws += shared_s * block.mean_mw
            sum_s += shared_s
    return CurvePoint(begin_s, min_mw, sum_mws // sum_s, max_mw)


def _summed(begin_s: int, quarters: Sequence[PowerQuarter]) -> CurvePoint:
    count = sum(quarter.count for quarter in quarters)
    mean_mw = sum(quarter.mean_mw * quarter.count for quarter in quarters) // count
    return CurvePoint(
        begin_s, min(quarter.min_mw for quarter in quarters), mean_mw, max(quarter.max_mw for quarter in quarters)
    )
