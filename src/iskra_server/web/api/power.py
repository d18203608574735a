"""GET /api/v1/meters/{id}/power: a curve for a chart, with minimum, mean and maximum power of each point.

Made of telegrams for at most a day, if they are kept for all of it, else of quarter-hours. Points of a minute or more
are made of blocks of telegrams, which are summed up already, if no block is longer than a point. Of a virtual meter a
quarter-hour has the mean power by its energy, as its minimum and maximum too.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Raw, Struct

from iskra_server.base.json_values import Instant, Number, local
from iskra_server.history.model.records import QUARTER_S, PointBlock, PowerBlock, PowerQuarter, quarter_from
from iskra_server.history.points.curve import (
    HOLDS_S,
    Curve,
    CurvePoint,
    TimeSpan,
    curve_of_blocks,
    curve_of_quarters,
    curve_of_telegrams,
    seconds_per_point,
)
from iskra_server.history.store.recorded_meter import RecordedMeter, VirtualRecordedMeter
from iskra_server.web.api.history import history_endpoint
from iskra_server.web.api.telegram_power import telegram_power
from iskra_server.web.http.endpoint import TIME_ZONE, Result, integer_parameter, period_parameters
from iskra_server.web.http.query import Query

DEFAULT_POINTS = 1_000
MAX_POINTS = 5_000
MAX_DAYS = 400
# a day may have 25 hours; unpacking the telegrams of a longer period takes too long (bench/history_cost.py)
_MAX_TELEGRAMS_S = 25 * 3600
_MW = 1000
_QUARTER_MS = QUARTER_S * 1000


class PowerPoint(Struct, frozen=True, gc=False):
    """Power during the `resolution_s` seconds from `begin`; positive from the grid, negative to the grid."""

    begin: Instant
    min_w: Number
    mean_w: Number
    max_w: Number


class PowerGap(Struct, frozen=True):
    """A time without measurements."""

    begin: Instant
    end: Instant


class Power(Struct, frozen=True):
    """`source` says what the points are made of: single telegrams or quarter-hours."""

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


def power_of(meter: RecordedMeter, query: Query) -> Power:
    """Raises BadRequest, and StoreError if the database does not respond."""
    max_points = query.integer("points", default=DEFAULT_POINTS, maximum=MAX_POINTS)
    begin, end = query.period(max_days=MAX_DAYS)
    period = int(begin.timestamp()), math.ceil(end.timestamp())
    measured = max(period[0], meter.first_s), min(period[1], int(query.now.timestamp()))
    quarters = meter.power_between(period[0] // QUARTER_S, quarter_from(period[1]))
    telegrams = _curve_of_telegrams(meter, quarters, period, measured, max_points)
    curve = telegrams or curve_of_quarters(quarters, period, measured, max_points)
    return Power(
        meter=meter.id,
        simulated=meter.simulated,
        unit="W",
        tz=query.tz.key,
        begin=local(period[0], query.tz),
        end=local(period[1], query.tz),
        source="quarters" if telegrams is None else "telegrams",
        resolution_s=curve.resolution_s,
        points=[_point(point, query.tz) for point in curve.points],
        gaps=[PowerGap(local(begin_s, query.tz), local(end_s, query.tz)) for begin_s, end_s in curve.gaps],
    )


def _curve_of_telegrams(
    meter: RecordedMeter, quarters: Sequence[PowerQuarter], period: TimeSpan, measured: TimeSpan, max_points: int
) -> Curve | None:
    """None if there are too many telegrams, if they are not finer than quarters, or do not cover the period."""
    duration_s = period[1] - period[0]
    if duration_s > _MAX_TELEGRAMS_S or duration_s > max_points * QUARTER_S:
        return None
    resolution_s = seconds_per_point(period, max_points)
    is_virtual = isinstance(meter, VirtualRecordedMeter)
    if resolution_s >= HOLDS_S and not is_virtual:
        sums = meter.power_blocks_between(*period)
        if all(block.last_s - block.first_s < resolution_s for block in sums):
            is_complete = _covers(_quarters(sums), quarters)
            return curve_of_blocks(sums, period, measured, max_points) if is_complete else None
    blocks = meter.points_between(*period)
    try:
        telegrams = telegram_power(meter, blocks, period)
    except ValueError:
        # a damaged block; the quarters are stored separately
        return None
    covered = {at_ms // _QUARTER_MS for at_ms in telegrams.at_ms} if is_virtual else _quarters(blocks)
    is_complete = _covers(covered, quarters) and bool(telegrams.at_ms or not quarters)
    return curve_of_telegrams(telegrams, period, measured, max_points) if is_complete else None


def _quarters(blocks: Iterable[PointBlock | PowerBlock]) -> set[int]:
    """The quarters that blocks of telegrams reach into."""
    return {quarter for block in blocks for quarter in range(block.first_s // QUARTER_S, block.last_s // QUARTER_S + 1)}


def _covers(covered: set[int], quarters: Iterable[PowerQuarter]) -> bool:
    """Whether there are telegrams, and some in each quarter with power."""
    return bool(covered) and covered.issuperset(power.quarter for power in quarters)


def _point(point: CurvePoint, tz: ZoneInfo) -> PowerPoint:
    return PowerPoint(local(point.begin_s, tz), _watts(point.min_mw), _watts(point.mean_mw), _watts(point.max_mw))


def _watts(power_mw: int) -> Number:
    """Equal to `json_values.number` of a Decimal, in half the time: a curve has thousands."""
    watts = b"%d.%03d" % divmod(abs(power_mw), _MW)
    return Raw(b"-" + watts if power_mw < 0 else watts)


ENDPOINT = history_endpoint(
    "power",
    "Power curve with minimum, mean and maximum in W, positive from the grid, negative to the grid. Made of telegrams "
    "for up to a day, as long as they are kept, else of quarter-hours.",
    Result("the points, and the gaps between them", Power),
    lambda _: power_of,
    (
        *period_parameters(f"{MAX_DAYS} days"),
        integer_parameter("points", "maximum number of points", DEFAULT_POINTS, MAX_POINTS),
        TIME_ZONE,
    ),
)
