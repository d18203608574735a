"""GET /api/v1/meters/{id}/energy: what was drawn and fed in, in each bucket of a period. Exact, in Wh.

A bucket without a measurement has no number; what is known of a gap is its sum, which is told beside the buckets.
"""

from datetime import timedelta
from itertools import zip_longest
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Instant, Number, local, number
from iskra_server.history.model.energy import (
    Bucket,
    BucketLength,
    BucketQuality,
    EpochMark,
    Gap,
    bucket_edges,
    energy_in_buckets,
)
from iskra_server.history.model.periods import Period
from iskra_server.history.model.records import QUARTER_S, QuarterReading
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.registers import key_of
from iskra_server.web.api.recorded import RecordedMeter
from iskra_server.web.api.registers import RegisterValue, value
from iskra_server.web.http.question import BadRequest, Query

NAMES = ("from", "to", "bucket", "tz")
LENGTHS: tuple[BucketLength, ...] = get_args(BucketLength)
MAX_BUCKETS = 10_000
# about how long each is, and the longest period for which it is the default: about a hundred of them fill a screen
_ABOUT: dict[BucketLength, timedelta] = {
    "15min": timedelta(minutes=15),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
_DEFAULT_UP_TO: tuple[tuple[timedelta, BucketLength], ...] = (
    # two days, of which one may have 25 hours
    (timedelta(hours=49), "15min"),
    (timedelta(hours=14 * 24 + 1), "hour"),
    (timedelta(days=93), "day"),
    (timedelta(days=5 * 366), "month"),
)


class EnergyBucket(Struct, frozen=True, kw_only=True):
    """From `begin` until before `end`. Without a measurement inside (`absent`) there is no number.

    `partial`: an edge was not measured; the number is what was measured inside, the rest lies in a gap.
    """

    begin: Instant
    end: Instant
    import_wh: Number | UnsetType = UNSET
    import_quality: BucketQuality
    export_wh: Number | UnsetType = UNSET
    export_quality: BucketQuality | UnsetType = UNSET


class EnergyGap(Struct, frozen=True):
    """Between two measured quarters nothing is known but the sum; it may reach out of the period."""

    begin: Instant
    end: Instant
    energy_wh: Number


class EpochChange(Struct, frozen=True):
    """The counter began anew: it had shown `before_wh`, where that is known, and then showed `after_wh`."""

    epoch: int
    at: Instant
    after_wh: Number
    before_wh: Number | UnsetType = UNSET


class CounterEnergy(Struct, frozen=True):
    """One counter over the period. `total_wh` goes from its `first` value in the period to its `last`."""

    name: str
    obis: str
    gaps: list[EnergyGap]
    epochs: list[EpochChange]
    total_wh: Number | UnsetType = UNSET
    first: RegisterValue | UnsetType = UNSET
    last: RegisterValue | UnsetType = UNSET


class Energy(Struct, frozen=True, rename={"import_": "import"}):
    """Energy drawn (1.8.0) and fed in (2.8.0); a meter without 2.8.0 has no `export`."""

    meter: str
    simulated: bool
    unit: Literal["Wh"]
    tz: str
    bucket: BucketLength
    begin: Instant
    end: Instant
    buckets: list[EnergyBucket]
    import_: CounterEnergy
    export: CounterEnergy | UnsetType = UNSET


def energy_of(meter: RecordedMeter, question: Query) -> Energy:
    """Misuse, or StoreError for a database that does not answer."""
    period = question.period()
    length = length_of(question.get("bucket"), period)
    quarters = quarters_at(period, length, question.tz)
    imported, import_ = _counted(meter.counter(IMPORT), IMPORT, quarters, question.tz)
    has_export = EXPORT in meter.series()
    exported, export = _counted(meter.counter(EXPORT), EXPORT, quarters, question.tz) if has_export else ((), UNSET)
    return Energy(
        meter=meter.id,
        simulated=meter.simulated,
        unit="Wh",
        tz=question.tz.key,
        bucket=length,
        begin=local(quarters[0] * QUARTER_S, question.tz),
        end=local(quarters[-1] * QUARTER_S, question.tz),
        buckets=[_bucket(*pair, question.tz) for pair in zip_longest(imported, exported)],
        import_=import_,
        export=export,
    )


def length_of(text: str | None, period: Period) -> BucketLength:
    """The length that is asked for, else the one that fits the period. Misuse."""
    if text is None:
        duration = period[1] - period[0]
        return next((length for longest, length in _DEFAULT_UP_TO if duration <= longest), "year")
    for length in LENGTHS:
        if text == length:
            return length
    raise BadRequest(f"'bucket={text}' is not known here; known are {', '.join(LENGTHS)}")


def quarters_at(period: Period, length: BucketLength, tz: ZoneInfo, most: int = MAX_BUCKETS) -> tuple[int, ...]:
    """Where buckets begin, and where the last one ends. Misuse.

    Counted roughly first: between 1970 and 2999 lie 36 million quarters.
    """
    begin, end = period
    if (end - begin) / _ABOUT[length] <= 2 * most:
        found = bucket_edges(begin, end, length, tz)
        if len(found) - 1 <= most:
            return found
    raise BadRequest(
        f"the period has more than {most:,} buckets of the length '{length}'; "
        "ask for a shorter period or longer buckets"
    )


def _counted(
    counter: CounterHistory, obis: Obis, quarters: tuple[int, ...], tz: ZoneInfo
) -> tuple[tuple[Bucket, ...], CounterEnergy]:
    known = counter.look_up(quarters)
    found = energy_in_buckets(quarters, lambda _: known, counter.nearest_before, counter.nearest_after, counter.epochs)
    ends = _ends(counter, quarters, known.get(quarters[0]), known.get(quarters[-1]))
    first, last = (UNSET if end is None else value(end, counter.epochs, tz) for end in ends)
    return found.buckets, CounterEnergy(
        name=key_of(obis),
        obis=str(obis),
        gaps=[_gap(gap, tz) for gap in found.gaps],
        epochs=[_change(mark, tz) for mark in found.epochs],
        total_wh=UNSET if found.total_wh is None else number(found.total_wh),
        first=first,
        last=last,
    )


def _ends(
    counter: CounterHistory, quarters: tuple[int, ...], first: QuarterReading | None, last: QuarterReading | None
) -> tuple[QuarterReading | None, QuarterReading | None]:
    """The outermost boundaries inside the period."""
    first = first or counter.nearest_after(quarters[0])
    last = last or counter.nearest_before(quarters[-1])
    if first is None or last is None or first.quarter > last.quarter:
        return None, None
    return first, last


def _bucket(imported: Bucket, exported: Bucket | None, tz: ZoneInfo) -> EnergyBucket:
    return EnergyBucket(
        begin=local(imported.begin * QUARTER_S, tz),
        end=local(imported.end * QUARTER_S, tz),
        import_wh=_wh(imported),
        import_quality=imported.quality,
        export_wh=_wh(exported) if exported else UNSET,
        export_quality=exported.quality if exported else UNSET,
    )


def _wh(bucket: Bucket) -> Number | UnsetType:
    return UNSET if bucket.energy_wh is None else number(bucket.energy_wh)


def _gap(gap: Gap, tz: ZoneInfo) -> EnergyGap:
    return EnergyGap(local(gap.begin * QUARTER_S, tz), local(gap.end * QUARTER_S, tz), number(gap.energy_wh))


def _change(mark: EpochMark, tz: ZoneInfo) -> EpochChange:
    before_wh = UNSET if mark.before_wh is None else number(mark.before_wh)
    return EpochChange(mark.epoch, local(mark.at_s, tz), number(mark.after_wh), before_wh)
