"""GET /api/v1/sum/energy: the energy of several meters of this server together. What a part lacks, the sum lacks.

meter A   ---|------|------|------|--         a bucket has a sum if every meter has a reading at both its ends
meter B   ---|------|      |------|--
sum          | A+B  |  --  | A+B  :           the running bucket ends with the newest quarter that all meters have
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.base.json_values import Instant, Number, number
from iskra_server.history.model.energy import BucketLength, energy_between
from iskra_server.history.model.periods import quarter_instant
from iskra_server.history.store.recorded_meter import RecordedMeter, recorded_meter
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.web.api.history import unrecorded_meter
from iskra_server.web.api.meter_sum import MAX_METERS, METERS, NO_METER, check_counted_once, names_of, split, unknown
from iskra_server.web.api.meter_view import Meter
from iskra_server.web.api.meters import Meters
from iskra_server.web.http.endpoint import (
    BUCKET,
    TIME_ZONE,
    Context,
    Endpoint,
    Result,
    history_results,
    period_parameters,
    read_history,
)
from iskra_server.web.http.problem import MAX_NAMED
from iskra_server.web.http.query import Query
from iskra_server.web.http.responses import revalidated_json

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.reads import Reads

# of each of 20 meters
MAX_BUCKETS = 3_000


class SumBucket(Struct, frozen=True):
    """A number is there if each meter has a reading at `begin` and at `end`; `missing` are those that lack one.

    In a bucket that is running, those that have no reading since `begin`.
    """

    begin: Instant
    end: Instant
    import_wh: Number | UnsetType = UNSET
    export_wh: Number | UnsetType = UNSET
    missing: list[str] | UnsetType = UNSET


class SumMeter(Struct, frozen=True):
    """One of the meters over the whole period; `export_wh` if it has 2.8.0."""

    meter: str
    import_wh: Number | UnsetType = UNSET
    export_wh: Number | UnsetType = UNSET


class EnergySum(Struct, frozen=True):
    """Energy of several meters together, exact in Wh. Export is that of `export_meters`, which have 2.8.0.

    What is running, a bucket and the period, counts until `until`: the newest quarter that all meters have.
    `simulated`: at least one of the meters is.
    """

    meters: list[str]
    export_meters: list[str]
    simulated: bool
    tz: str
    bucket: BucketLength
    begin: Instant
    end: Instant
    buckets: list[SumBucket]
    parts: list[SumMeter]
    until: Instant | UnsetType = UNSET
    import_wh: Number | UnsetType = UNSET
    export_wh: Number | UnsetType = UNSET


class _Counter:
    """One register of one meter at the quarters that the answer needs."""

    def __init__(self, meter: RecordedMeter, obis: Obis, quarters: Sequence[int]) -> None:
        self.meter_id, counter = meter.id, meter.counter(obis)
        self._readings, self._epochs = counter.look_up(quarters), counter.epochs

    def energy(self, begin: int, end: int) -> Decimal | None:
        """None where a reading is missing, and between a quarter and itself: nothing was measured there."""
        before, after = self._readings.get(begin), self._readings.get(end)
        return energy_between(before, after, self._epochs) if before and after and begin < end else None


async def _energy(context: Context, request: Request) -> Response:
    meters = Meters(context.server)
    # the hub belongs to the event loop
    found = {name: meters.find(name) for name in split(request.query_params.get(METERS.name, ""))[:MAX_METERS]}
    live = {name: meters.view(meter_id) for name, meter_id in found.items() if meter_id}

    def respond(reads: "Reads", query: Query) -> Response:
        return revalidated_json(request, _energy_sum(reads, query, live))

    return await read_history(context, request, ENDPOINT.parameters, respond)


def _energy_sum(reads: "Reads", query: Query, live: Mapping[str, Meter]) -> EnergySum:
    """`live` are those of the named meters that are being read.

    Raises BadRequest, NotFound, and StoreError if the database does not respond.
    """
    meters = [_recorded(reads, name, live.get(name)) for name in names_of(query)]
    check_counted_once(meter.chain for meter in meters)
    length, edges = query.buckets(MAX_BUCKETS)
    now = query.quarter
    readings = [meter.counter(IMPORT).nearest_before(now + 1) for meter in meters]
    newest = [reading.quarter if reading else -1 for reading in readings]
    # where what is running ends
    last = min(newest)
    quarters = sorted({*edges, last})
    imports = [_Counter(meter, IMPORT, quarters) for meter in meters]
    exports = [_Counter(meter, EXPORT, quarters) for meter in meters if EXPORT in meter.series()]
    is_running = edges[0] < last < edges[-1] and edges[-1] > now
    period = edges[0], last if is_running else edges[-1]

    def bucket(begin: int, end: int) -> SumBucket:
        moments = quarter_instant(begin, query.tz), quarter_instant(end, query.tz)
        if begin >= now:
            return SumBucket(*moments)
        if end > now and begin >= last:
            missing = [meter.id for meter, quarter in zip(meters, newest, strict=True) if quarter <= begin]
            return SumBucket(*moments, missing=missing)
        span = begin, last if end > now else end
        imported, exported = _energies(imports, span), _energies(exports, span)
        counters = zip(chain(imports, exports), chain(imported, exported), strict=True)
        missing = [counter.meter_id for counter, energy in counters if energy is None]
        return SumBucket(*moments, _total(imported), _total(exported), list(dict.fromkeys(missing)) or UNSET)

    return EnergySum(
        meters=[meter.id for meter in meters],
        export_meters=[counter.meter_id for counter in exports],
        simulated=any(meter.simulated for meter in meters),
        tz=query.tz.key,
        bucket=length,
        begin=quarter_instant(edges[0], query.tz),
        end=quarter_instant(edges[-1], query.tz),
        buckets=[bucket(*ends) for ends in pairwise(edges)],
        parts=[_part(meter.id, imports, exports, period) for meter in meters],
        until=quarter_instant(last, query.tz) if is_running else UNSET,
        import_wh=_total(_energies(imports, period)),
        export_wh=_total(_energies(exports, period)),
    )


def _part(meter_id: str, imports: Sequence[_Counter], exports: Sequence[_Counter], period: tuple[int, int]) -> SumMeter:
    own = [[counter for counter in counters if counter.meter_id == meter_id] for counters in (imports, exports)]
    return SumMeter(meter_id, *(_total(_energies(counters, period)) for counters in own))


def _energies(counters: Sequence[_Counter], span: tuple[int, int]) -> list[Decimal | None]:
    return [counter.energy(*span) for counter in counters]


def _total(energies: Sequence[Decimal | None]) -> Number | UnsetType:
    """Absent where one of them is, and without any."""
    known = [energy for energy in energies if energy is not None]
    return number(sum(known, Decimal(0))) if known and len(known) == len(energies) else UNSET


def _recorded(reads: "Reads", name: str, live: Meter | None) -> RecordedMeter:
    meter = recorded_meter(reads, (name, live.id if live else ""))
    if meter is None and live:
        return unrecorded_meter(reads, live)
    if meter is None:
        raise unknown(name, [info.meter_id for info in reads.first_meters(MAX_NAMED + 1)])
    return meter


ENDPOINT = Endpoint(
    "/api/v1/sum/energy",
    "sum_energy",
    "Energy of several meters together in buckets of local time, exact in Wh, where every meter has it.",
    history_results(Result("the sum of each bucket, and each meter over the period", EnergySum)) | {404: NO_METER},
    _energy,
    (METERS, *period_parameters(f"{MAX_BUCKETS:,} buckets"), BUCKET, TIME_ZONE),
)
