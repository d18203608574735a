"""GET /api/v1/meters/{id}/power: a curve of power for a chart, with the least, the mean and the most of each point.

From telegrams where a day at most is asked for and they are kept for all of it, else from quarters of an hour. Points
of a minute or more are made of blocks of telegrams that are summed up already, where no block is longer than a point.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Raw, Struct

from iskra_server.base.json_values import Instant, Number, local
from iskra_server.history.model.periods import Period
from iskra_server.history.model.records import QUARTER_S, PointBlock, PowerBlock, PowerQuarter
from iskra_server.history.points.curve import (
    HOLDS_S,
    Curve,
    CurvePoint,
    TimeSpan,
    curve_of_blocks,
    curve_of_quarters,
    curve_of_telegrams,
    power_of_telegrams,
    seconds_per_point,
)
from iskra_server.web.api.recorded import RecordedMeter
from iskra_server.web.http.question import BadRequest, Query

NAMES = ("from", "to", "points", "tz")
DEFAULT_POINTS = 1_000
MAX_POINTS = 5_000
DAY_S = 86_400
MAX_DAYS = 400
# a day may have 25 hours; unpacking the telegrams of more would take too long (bench/history.py)
_TELEGRAMS_UP_TO_S = 25 * 3600
_MW = 1000


class PowerPoint(Struct, frozen=True, gc=False):
    """Of the stretch of `resolution_s` that begins at `begin`; + is drawn, - is fed in."""

    begin: Instant
    min_w: Number
    mean_w: Number
    max_w: Number


class PowerGap(Struct, frozen=True):
    """Nothing was measured."""

    begin: Instant
    end: Instant


class Power(Struct, frozen=True):
    """`source` says what the points were made of: every telegram, or the quarters of an hour."""

    meter: str
    simulated: bool
    unit: Literal["W"]
    tz: str
    begin: Instant
    end: Instant
    source: Literal["telegrams", "quarters"]
    resolution_s: int
    points: list[PowerPoint]
    gaps: list[PowerGap]


def power_of(meter: RecordedMeter, question: Query) -> Power:
    """Misuse, or StoreError for a database that does not answer."""
    at_most = question.whole("points", default=DEFAULT_POINTS, most=MAX_POINTS)
    period = _seconds(question.period())
    heard = max(period[0], meter.first_s), min(period[1], int(question.now.timestamp()))
    quarters = meter.power_between(period[0] // QUARTER_S, -(-period[1] // QUARTER_S))
    telegrams = _by_telegrams(meter, quarters, period, heard, at_most)
    curve = telegrams or curve_of_quarters(quarters, period, heard, at_most)
    return Power(
        meter=meter.id,
        simulated=meter.simulated,
        unit="W",
        tz=question.tz.key,
        begin=local(period[0], question.tz),
        end=local(period[1], question.tz),
        source="quarters" if telegrams is None else "telegrams",
        resolution_s=curve.resolution_s,
        points=[_point(point, question.tz) for point in curve.points],
        gaps=[PowerGap(local(begin_s, question.tz), local(end_s, question.tz)) for begin_s, end_s in curve.gaps],
    )


def _seconds(period: Period) -> TimeSpan:
    """Whole seconds around the period."""
    begin_s, end_s = int(period[0].timestamp()), math.ceil(period[1].timestamp())
    if end_s - begin_s > MAX_DAYS * DAY_S:
        raise BadRequest(f"the period is longer than {MAX_DAYS} days; ask for a shorter one")
    return begin_s, end_s


def _by_telegrams(
    meter: RecordedMeter, quarters: Sequence[PowerQuarter], period: TimeSpan, heard: TimeSpan, at_most: int
) -> Curve | None:
    """None where telegrams would be too many, are not finer, or do not cover the period."""
    duration_s = period[1] - period[0]
    if duration_s > _TELEGRAMS_UP_TO_S or duration_s > at_most * QUARTER_S:
        return None
    resolution_s = seconds_per_point(period, at_most)
    if resolution_s >= HOLDS_S:
        summed = meter.power_blocks_between(*period)
        if all(block.last_s - block.first_s < resolution_s for block in summed):
            return curve_of_blocks(summed, period, heard, at_most) if _cover(summed, quarters) else None
    blocks = meter.points_between(*period)
    try:
        telegrams = power_of_telegrams(blocks, period)
        is_whole = _cover(blocks, quarters) and bool(telegrams.at_ms or not quarters)
        return curve_of_telegrams(telegrams, period, heard, at_most) if is_whole else None
    except ValueError:
        # a damaged block; the quarters are kept apart from it
        return None


def _cover(blocks: Iterable[PointBlock | PowerBlock], quarters: Iterable[PowerQuarter]) -> bool:
    """Whether there are blocks, and some in each quarter that has power."""
    covered = {
        quarter for block in blocks for quarter in range(block.first_s // QUARTER_S, block.last_s // QUARTER_S + 1)
    }
    return bool(covered) and covered.issuperset(power.quarter for power in quarters)


def _point(point: CurvePoint, tz: ZoneInfo) -> PowerPoint:
    return PowerPoint(local(point.begin_s, tz), _watts(point.min_mw), _watts(point.mean_mw), _watts(point.max_mw))


def _watts(power_mw: int) -> Number:
    """As `exact.number` of a Decimal would print it, in half the time: there are thousands."""
    watts = b"%d.%03d" % divmod(abs(power_mw), _MW)
    return Raw(b"-" + watts if power_mw < 0 else watts)
