"""GET /api/v1/sum and /api/v1/sum/energy: several meters of this server together. What a part lacks, the sum lacks.

meter A   ---|------|------|------|--         a bucket has a sum if every meter has a reading at both its ends
meter B   ---|------|      |------|--
sum          | A+B  |  --  | A+B  :           the running bucket ends with the newest quarter that all meters have
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
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
from iskra_server.web.api.meter_view import Meter
from iskra_server.web.api.meters import Meters
from iskra_server.web.http.endpoint import (
    BUCKET,
    TEXT,
    TIME_ZONE,
    WRONG_PARAMETER,
    Context,
    Endpoint,
    Parameter,
    Result,
    error_response,
    failure,
    history_results,
    period_parameters,
    read_history,
)
from iskra_server.web.http.problem import MAX_NAMED, unknown_meter
from iskra_server.web.http.query import BadRequest, NotFound, Query
from iskra_server.web.http.responses import json_response, revalidated_json

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.reads import Reads

MAX_METERS = 20
# of each of 20 meters
MAX_BUCKETS = 3_000
METERS = Parameter("meters", f"the meters, 2 to {MAX_METERS}, separated by commas: labels or server ids in hex", TEXT)
_NO_METER = failure("no such meter; `detail` names the known ones")


class SumPart(Struct, frozen=True):
    """`power_w` is absent while the meter has no current reading, and if it sends no power."""

    meter: str
    fresh: bool
    age_s: float | None
    power_w: Number | UnsetType = UNSET


class LiveSum(Struct, frozen=True):
    """`power_w` is the sum if every meter has a current reading with its power; `age_s` is the age of the oldest.

    `simulated`: at least one of the meters is.
    """

    parts: list[SumPart]
    simulated: bool
    power_w: Number | UnsetType = UNSET
    age_s: float | UnsetType = UNSET


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


async def _live(context: Context, request: Request) -> Response:
    meters = Meters(context.server)
    try:
        query = Query(request.query_params, [METERS.name], now=datetime.now(UTC), tz=context.settings.tz)
        views = [_view(meters, name) for name in _names(query)]
        _check_once(meters.counted(view.id) for view in views)
    except (BadRequest, NotFound) as error:
        return error_response(error)
    powers = {view.id: register for view in views for register in view.registers if register.name == "power"}
    parts = [
        SumPart(view.id, view.fresh, view.age_s, powers[view.id].value if view.id in powers else UNSET)
        for view in views
    ]
    simulated = any(view.simulated for view in views)
    if len(powers) < len(views):
        return json_response(LiveSum(parts, simulated))
    total = sum((Decimal(bytes(register.value).decode()) for register in powers.values()), Decimal(0))
    return json_response(LiveSum(parts, simulated, number(total), max(item.age_s for item in powers.values())))


def _view(meters: Meters, name: str) -> Meter:
    meter_id = meters.find(name)
    if meter_id is None:
        raise _unknown(name, meters.ids())
    return meters.view(meter_id)


async def _energy(context: Context, request: Request) -> Response:
    meters = Meters(context.server)
    # the hub belongs to the event loop
    found = {name: meters.find(name) for name in _split(request.query_params.get(METERS.name, ""))[:MAX_METERS]}
    live = {name: meters.view(meter_id) for name, meter_id in found.items() if meter_id}

    def respond(reads: "Reads", query: Query) -> Response:
        return revalidated_json(request, _energy_sum(reads, query, live))

    return await read_history(context, request, ENERGY.parameters, respond)


def _energy_sum(reads: "Reads", query: Query, live: Mapping[str, Meter]) -> EnergySum:
    """`live` are those of the named meters that are being read.

    Raises BadRequest, NotFound, and StoreError if the database does not respond.
    """
    meters = [_recorded(reads, name, live.get(name)) for name in _names(query)]
    _check_once(meter.chain for meter in meters)
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


def _names(query: Query) -> list[str]:
    names = _split(query.get(METERS.name) or "")
    if not 2 <= len(names) <= MAX_METERS:
        raise BadRequest(f"'{METERS.name}' names {len(names)} meters; name 2 to {MAX_METERS}, separated by commas")
    return names


def _split(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _check_once(ids: Iterable[Sequence[str]]) -> None:
    """A meter named twice, one that another replaced, and a part of a virtual one would count twice."""
    counts = Counter(chain.from_iterable(ids))
    twice = next((meter_id for meter_id, count in counts.items() if count > 1), None)
    if twice:
        raise BadRequest(
            f"meter {twice} would count twice; name it once, without one that it replaced or a virtual meter of it"
        )


def _recorded(reads: "Reads", name: str, live: Meter | None) -> RecordedMeter:
    meter = recorded_meter(reads, (name, live.id if live else ""))
    if meter is None and live:
        return unrecorded_meter(reads, live)
    if meter is None:
        raise _unknown(name, [info.meter_id for info in reads.first_meters(MAX_NAMED + 1)])
    return meter


def _unknown(name: str, known: Sequence[str]) -> NotFound:
    return NotFound(unknown_meter(name, known).removesuffix("."), "unknown_meter")


LIVE = Endpoint(
    "/api/v1/sum",
    "sum",
    "The power of several meters together, and of each. What one of them lacks, the sum lacks.",
    {
        200: Result("each meter, and the sum if all have a current power", LiveSum),
        400: WRONG_PARAMETER,
        404: _NO_METER,
    },
    _live,
    (METERS,),
)
ENERGY = Endpoint(
    "/api/v1/sum/energy",
    "sum_energy",
    "Energy of several meters together in buckets of local time, exact in Wh, where every meter has it.",
    history_results(Result("the sum of each bucket, and each meter over the period", EnergySum)) | {404: _NO_METER},
    _energy,
    (METERS, *period_parameters(f"{MAX_BUCKETS:,} buckets"), BUCKET, TIME_ZONE),
)
