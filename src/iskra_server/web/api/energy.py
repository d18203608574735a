"""GET /api/v1/meters/{id}/energy: energy from and to the grid in each bucket of a period. Exact, in Wh.

A bucket without a measurement has no number. Of a gap only the sum is known; it is listed beside the buckets.
"""

from itertools import zip_longest
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Instant, Number, local, number, optional
from iskra_server.history.model.energy import Bucket, BucketLength, BucketQuality, EpochMark, Gap, energy_in_buckets
from iskra_server.history.model.periods import quarter_instant
from iskra_server.history.model.records import QuarterReading
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.registers import key_of
from iskra_server.web.api.history import history_endpoint
from iskra_server.web.api.registers import RegisterValue, register_value
from iskra_server.web.http.endpoint import BUCKET, TIME_ZONE, Result, period_parameters
from iskra_server.web.http.query import Query

MAX_BUCKETS = 10_000


class EnergyBucket(Struct, frozen=True, kw_only=True):
    """From `begin` until before `end`. There is no number if nothing was measured inside (`absent`).

    `partial`: the reading at one edge is missing; the number is what was measured inside, the rest lies in a gap.
    """

    begin: Instant
    end: Instant
    import_wh: Number | UnsetType = UNSET
    import_quality: BucketQuality
    export_wh: Number | UnsetType = UNSET
    export_quality: BucketQuality | UnsetType = UNSET


class EnergyGap(Struct, frozen=True):
    """Between two measured quarters only the sum is known. A gap may extend beyond the period."""

    begin: Instant
    end: Instant
    energy_wh: Number


class EpochChange(Struct, frozen=True):
    """The counter restarted: it showed `before_wh`, if that is known, and then `after_wh`."""

    epoch: int
    at: Instant
    after_wh: Number
    before_wh: Number | UnsetType = UNSET


class CounterEnergy(Struct, frozen=True):
    """One counter in the period. `total_wh` is the difference of its `first` and its `last` value."""

    name: str
    obis: str
    gaps: list[EnergyGap]
    epochs: list[EpochChange]
    total_wh: Number | UnsetType = UNSET
    first: RegisterValue | UnsetType = UNSET
    last: RegisterValue | UnsetType = UNSET


class Energy(Struct, frozen=True, rename={"import_": "import"}):
    """Energy from the grid (1.8.0) and to the grid (2.8.0); `export` is absent if the meter has no 2.8.0.

    `recorded_since` is when history first recorded the meter; absent as long as it has not.
    """

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
    recorded_since: Instant | UnsetType = UNSET


def energy_of(meter: RecordedMeter, query: Query) -> Energy:
    """Raises BadRequest, and StoreError if the database does not respond."""
    length, edges = query.buckets(MAX_BUCKETS)
    imported, import_ = _counter_energy(meter.counter(IMPORT), IMPORT, edges, query.tz)
    exported: tuple[Bucket, ...] = ()
    export: CounterEnergy | UnsetType = UNSET
    if EXPORT in meter.series():
        exported, export = _counter_energy(meter.counter(EXPORT), EXPORT, edges, query.tz)
    return Energy(
        meter=meter.id,
        simulated=meter.simulated,
        unit="Wh",
        tz=query.tz.key,
        bucket=length,
        begin=quarter_instant(edges[0], query.tz),
        end=quarter_instant(edges[-1], query.tz),
        buckets=[_bucket(*pair, query.tz) for pair in zip_longest(imported, exported)],
        import_=import_,
        export=export,
        recorded_since=local(meter.first_s, query.tz) if meter.first_s <= query.now.timestamp() else UNSET,
    )


def _counter_energy(
    counter: CounterHistory, obis: Obis, edges: tuple[int, ...], tz: ZoneInfo
) -> tuple[tuple[Bucket, ...], CounterEnergy]:
    at_edges = counter.look_up(edges)
    energies = energy_in_buckets(
        edges, lambda _: at_edges, counter.nearest_before, counter.nearest_after, counter.epochs
    )
    first, last = _first_and_last(counter, edges, at_edges.get(edges[0]), at_edges.get(edges[-1]))
    return energies.buckets, CounterEnergy(
        name=key_of(obis),
        obis=str(obis),
        gaps=[_gap(gap, tz) for gap in energies.gaps],
        epochs=[_epoch_change(mark, tz) for mark in energies.epochs],
        total_wh=optional(energies.total_wh),
        first=register_value(first, counter.epochs, tz) if first else UNSET,
        last=register_value(last, counter.epochs, tz) if last else UNSET,
    )


def _first_and_last(
    counter: CounterHistory, edges: tuple[int, ...], first: QuarterReading | None, last: QuarterReading | None
) -> tuple[QuarterReading | None, QuarterReading | None]:
    """The first and the last quarter reading in the period; `first` and `last` are those at its edges, if present."""
    first = first or counter.nearest_after(edges[0])
    last = last or counter.nearest_before(edges[-1])
    if first is None or last is None or first.quarter > last.quarter:
        return None, None
    return first, last


def _bucket(imported: Bucket, exported: Bucket | None, tz: ZoneInfo) -> EnergyBucket:
    return EnergyBucket(
        begin=quarter_instant(imported.begin, tz),
        end=quarter_instant(imported.end, tz),
        import_wh=optional(imported.energy_wh),
        import_quality=imported.quality,
        export_wh=optional(exported.energy_wh) if exported else UNSET,
        export_quality=exported.quality if exported else UNSET,
    )


def _gap(gap: Gap, tz: ZoneInfo) -> EnergyGap:
    return EnergyGap(quarter_instant(gap.begin, tz), quarter_instant(gap.end, tz), number(gap.energy_wh))


def _epoch_change(mark: EpochMark, tz: ZoneInfo) -> EpochChange:
    return EpochChange(mark.epoch, local(mark.at_s, tz), number(mark.after_wh), optional(mark.before_wh))


ENDPOINT = history_endpoint(
    "energy",
    "Energy from and to the grid in buckets of local time, exact in Wh. Buckets without a measurement have no number.",
    Result("the buckets, and the counter readings at both ends of the period", Energy),
    lambda _: energy_of,
    (*period_parameters(f"{MAX_BUCKETS:,} buckets"), BUCKET, TIME_ZONE),
)
