"""Energy is the difference of two exact counter readings, so N buckets cost the N+1 readings at their edges.

    edge    bucket    edge    bucket    edge            A bucket counts from the first reading inside it to the last.
     |----------------|--------- ~ ~ ~ ~ | ~ ~ ~-----    Where an edge has no reading, the time between its neighbours
                               [        gap     ]       is a gap: its energy is known as one sum.

All buckets and all gaps between the outermost readings add up to the difference of those two, exactly. The edges alone
do not show whether readings are absent further inside a bucket: its sum is exact all the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.history.model.periods import (
    QUARTERS_PER_HOUR,
    Length,
    first_day,
    first_quarter,
    next_start,
    quarter_date,
    quarter_time,
)
from iskra_server.history.model.records import QUARTER_S, EpochStart, Exact, QuarterReading, quarter_of
from iskra_server.meter.reading import scaled

BucketLength = Literal["15min", "hour", "day", "week", "month", "year"]
# measured, interpolated: the worse of the two edges. partial: an edge has no reading, the bucket counts what was
# measured inside it, the rest lies in a gap or was never recorded. absent: nothing was measured inside
BucketQuality = Literal["measured", "interpolated", "partial", "absent"]

LookUp = Callable[[Sequence[int]], Mapping[int, QuarterReading]]
Nearest = Callable[[int], QuarterReading | None]
# the reading at an edge, twice; or, where it has none, its neighbours before and after
_Sides = tuple[QuarterReading | None, QuarterReading | None]

_QUARTER = timedelta(seconds=QUARTER_S)


class Bucket(Struct, frozen=True):
    """From quarter `begin` to quarter `end`, with the energy measured inside."""

    begin: int
    end: int
    energy_wh: Decimal | None
    quality: BucketQuality


class Gap(Struct, frozen=True):
    """Between quarters `begin` and `end` only the sum is known; the gap may reach out of the period."""

    begin: int
    end: int
    energy_wh: Decimal


class EpochMark(Struct, frozen=True):
    """At `at_s` (Unix seconds) the counter restarted: it showed `before_wh` last and `after_wh` first."""

    epoch: int
    at_s: int
    before_wh: Decimal | None
    after_wh: Decimal


class Energies(Struct, frozen=True):
    """`total_wh` is that of all buckets and of the gaps inside the period: from its first reading to its last."""

    total_wh: Decimal | None
    buckets: tuple[Bucket, ...]
    gaps: tuple[Gap, ...]
    epochs: tuple[EpochMark, ...]


def bucket_edges(begin: datetime, end: datetime, length: BucketLength, tz: ZoneInfo) -> tuple[int, ...]:
    """The quarters where buckets begin in local time, and where the last one ends.

    Begin and end are rounded down to their quarters, so the first and the last bucket may be shorter. An hour ends
    where the clocks change. Raises ValueError where the end lies before the beginning.
    """
    first, last = quarter_of(begin.timestamp()), quarter_of(end.timestamp())
    if last < first:
        raise ValueError(f"the period ends at {end.isoformat()}, before it begins at {begin.isoformat()}")
    if first == last:
        return (first,)
    return first, *_inner(first, last, length, tz), last


def energy_in_buckets(
    edges: Sequence[int], look_up: LookUp, nearest_before: Nearest, nearest_after: Nearest, epochs: Sequence[EpochStart]
) -> Energies:
    """The energy between edges of one counter, in Wh; `epochs` are all of that counter.

    `look_up` is called once with all edges; `nearest_before` and `nearest_after` at most once for an edge without a
    reading, and once for all edges inside one gap.
    """
    sides = _sides(edges, look_up(edges), nearest_before, nearest_after)
    pairs = list(zip(pairwise(edges), pairwise(sides), strict=True))
    return Energies(
        total_wh=_measured(sides[0][1], sides[-1][0], epochs),
        buckets=tuple(_bucket(begin, end, left[1], right[0], epochs) for (begin, end), (left, right) in pairs),
        gaps=tuple(_gaps(sides, epochs)),
        epochs=tuple(_mark(start) for start in epochs if edges[0] <= quarter_of(start.at_s) < edges[-1]),
    )


def energy_between(before: QuarterReading, after: QuarterReading, epochs: Sequence[EpochStart]) -> Decimal:
    """Energy from one reading to a later one, in Wh, exact; over an epoch start only what both sides measured."""
    starts = [start for start in epochs if before.epoch < start.epoch <= after.epoch]
    return _difference(after.value, before.value, starts)


def continuous_total(reading: QuarterReading, epochs: Sequence[EpochStart]) -> Decimal:
    """What the counter would show in Wh if it had never restarted."""
    starts = [start for start in epochs if start.epoch <= reading.epoch]
    return _difference(reading.value, Exact(0, reading.value.scaler), starts)


def _difference(after: Exact, before: Exact, starts: Sequence[EpochStart]) -> Decimal:
    """In integers of the finest scaler: Decimal would round to its context."""
    plus, minus = [after], [before]
    for start in starts:
        if start.before is not None:
            plus.append(start.before)
            minus.append(start.after)
    finest = min(value.scaler for value in plus + minus)
    steps = sum(_steps(value, finest) for value in plus) - sum(_steps(value, finest) for value in minus)
    return scaled(steps, finest)


def _steps(value: Exact, scaler: int) -> int:
    return value.raw * int(10 ** (value.scaler - scaler))


def _sides(
    edges: Sequence[int], readings: Mapping[int, QuarterReading], nearest_before: Nearest, nearest_after: Nearest
) -> list[_Sides]:
    sides: list[_Sides] = []
    for edge in edges:
        reading = readings.get(edge)
        if reading is not None:
            sides.append((reading, reading))
        elif sides and _includes(sides[-1], edge):
            sides.append(sides[-1])
        else:
            sides.append((nearest_before(edge), nearest_after(edge)))
    return sides


def _includes(sides: _Sides, edge: int) -> bool:
    """Whether the gap around an earlier edge includes this one."""
    after = sides[1]
    return after is None or after.quarter > edge


def _bucket(
    begin: int, end: int, first: QuarterReading | None, last: QuarterReading | None, epochs: Sequence[EpochStart]
) -> Bucket:
    energy_wh = _measured(first, last, epochs)
    if energy_wh is None or first is None or last is None:
        return Bucket(begin, end, None, "absent")
    quality: BucketQuality = "interpolated" if "interpolated" in (first.quality, last.quality) else "measured"
    return Bucket(begin, end, energy_wh, quality if (first.quarter, last.quarter) == (begin, end) else "partial")


def _measured(
    first: QuarterReading | None, last: QuarterReading | None, epochs: Sequence[EpochStart]
) -> Decimal | None:
    if first is None or last is None or first.quarter >= last.quarter:
        return None
    return energy_between(first, last, epochs)


def _gaps(sides: Sequence[_Sides], epochs: Sequence[EpochStart]) -> Iterator[Gap]:
    end = None
    for before, after in sides:
        # edges in one gap have the same neighbours
        if before is not None and after is not None and before is not after and after.quarter != end:
            end = after.quarter
            yield Gap(before.quarter, end, energy_between(before, after, epochs))


def _mark(start: EpochStart) -> EpochMark:
    before_wh = None if start.before is None else start.before.decimal
    return EpochMark(start.epoch, start.at_s, before_wh, start.after.decimal)


def _inner(first: int, last: int, length: BucketLength, tz: ZoneInfo) -> Iterator[int]:
    if length == "15min":
        yield from range(first + 1, last)
    elif length == "hour":
        yield from _hours(first, last, tz)
    else:
        yield from _days(first, last, length, tz)


def _hours(first: int, last: int, tz: ZoneInfo) -> Iterator[int]:
    quarter = _next_hour(first, tz)
    while quarter < last:
        yield quarter
        quarter = _next_hour(quarter, tz)


def _next_hour(quarter: int, tz: ZoneInfo) -> int:
    """The next full hour of the local clock, or where the clock changes before it."""
    offset = _offset(quarter, tz)
    full = quarter + QUARTERS_PER_HOUR - (quarter + offset) % QUARTERS_PER_HOUR
    if _offset(full, tz) == offset:
        return full
    return next(change for change in range(quarter + 1, full + 1) if _offset(change, tz) != offset)


def _offset(quarter: int, tz: ZoneInfo) -> int:
    """Local time minus UTC, in quarters: every zone's offset has been a multiple of a quarter since 1972."""
    return (quarter_time(quarter, tz).utcoffset() or timedelta(0)) // _QUARTER


def _days(first: int, last: int, length: Length, tz: ZoneInfo) -> Iterator[int]:
    """Where local days, weeks, months or years begin; a day that a zone skipped has no edge of its own."""
    day = first_day(quarter_date(first, tz), length)
    before = first
    while True:
        day = next_start(day, length)
        quarter = first_quarter(day, tz)
        if quarter >= last:
            return
        if quarter > before:
            yield quarter
            before = quarter
