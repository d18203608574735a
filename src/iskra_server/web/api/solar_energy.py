"""GET /api/v1/solar/energy: production, self-consumption and self-sufficiency in buckets of local time.

Only quarters count that every counter has: import and export at the grid, and the production. A bucket says how many of
its quarters those are.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct, UnsetType, structs
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.base.json_values import Instant, Number, number, optional
from iskra_server.diagnosis.facts import ProductionCounter
from iskra_server.diagnosis.status import Status
from iskra_server.history.model.common_quarters import CommonEnergy, add, common_energies
from iskra_server.history.model.energy import BucketLength, energy_between
from iskra_server.history.model.periods import QUARTERS_OF_DAY, quarter_instant
from iskra_server.history.model.records import QuarterReading
from iskra_server.history.model.solar_flows import SolarFlows
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.recorded_meter import RecordedMeter, read_last_at, recorded_meter
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.web.api.history import unrecorded_meter
from iskra_server.web.api.meter_view import Meter
from iskra_server.web.api.meters import Meters
from iskra_server.web.api.solar import NO_PLANT, SolarSources, solar_sources
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
from iskra_server.web.http.query import NotFound, Query
from iskra_server.web.http.responses import revalidated_json
from iskra_server.web.server_view import ServerView

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.reads import Reads

MAX_BUCKETS = 10_000
# so many are read at once, four columns of them: a year
_QUARTERS_AT_ONCE = 366 * QUARTERS_OF_DAY
_COUNTERS: dict[ProductionCounter, Obis] = {"export": EXPORT, "import": IMPORT}
_OTHER: dict[ProductionCounter, Obis] = {"export": IMPORT, "import": EXPORT}


class SolarBucket(Struct, frozen=True, kw_only=True):
    """From `begin` until before `end`. The energies are those of `counted_quarters`, which every counter has.

    `quarters` is how many quarters are over: where that is more, `missing` names the meters that lack some. There are
    no numbers if none is counted, and no rate without production, or without consumption.
    """

    begin: Instant
    end: Instant
    quarters: int
    counted_quarters: int
    missing: list[str] | UnsetType = UNSET
    production_wh: Number | UnsetType = UNSET
    import_wh: Number | UnsetType = UNSET
    export_wh: Number | UnsetType = UNSET
    self_consumption_wh: Number | UnsetType = UNSET
    consumption_wh: Number | UnsetType = UNSET
    self_consumption_rate: Number | UnsetType = UNSET
    self_sufficiency: Number | UnsetType = UNSET


class SolarPlantMeter(Struct, frozen=True):
    """A meter of the plant. `production_wh` is what its `counter` counted in the period, `other_wh` the other counter:
    where that is more, meters.production_counter may be wrong.
    """

    meter: str
    counter: ProductionCounter
    production_wh: Number | UnsetType = UNSET
    other_wh: Number | UnsetType = UNSET


class SolarEnergy(Struct, frozen=True):
    """self-consumption = production - export; consumption = import + self-consumption.

    Both rates are 0 to 1, unless a battery feeds the grid: nothing is clipped.

    `has_export`: whether the meter at the grid counts export (2.8.0); without, there are no numbers. `since` is when
    the last counter began, if that is within the period. What is running counts until `until`, the newest quarter that
    all counters have.
    """

    grid: str
    production: list[SolarPlantMeter]
    has_export: bool
    simulated: bool
    tz: str
    bucket: BucketLength
    begin: Instant
    end: Instant
    total: SolarBucket
    buckets: list[SolarBucket]
    since: Instant | UnsetType = UNSET
    until: Instant | UnsetType = UNSET


class _Plant(Struct, frozen=True):
    meter: RecordedMeter
    counter: ProductionCounter

    @property
    def history(self) -> CounterHistory:
        return self.meter.counter(_COUNTERS[self.counter])


async def _energy(context: Context, request: Request) -> Response:
    # statuses and the hub belong to the event loop
    sources = _sources(context.server)
    statuses = () if isinstance(sources, NotFound) else (sources.grid, *sources.plants)
    meters = Meters(context.server)
    live = {status.meter_id: meters.view(status.meter_id) for status in statuses if status.meter_id is not None}

    def respond(reads: "Reads", query: Query) -> Response:
        if isinstance(sources, NotFound):
            # told only where history is there, and the parameters are right
            raise sources
        grid = _recorded(reads, sources.grid, live)
        plants = [_Plant(_recorded(reads, status, live), status.facts.production_counter) for status in sources.plants]
        return revalidated_json(request, _solar_energy(grid, plants, query))

    return await read_history(context, request, ENDPOINT.parameters, respond)


def _sources(server: ServerView) -> SolarSources | NotFound:
    try:
        return solar_sources(server)
    except NotFound as error:
        return error


def _recorded(reads: "Reads", status: Status, live: dict[str, Meter]) -> RecordedMeter:
    """Of a meter that was not read since the start, that which was read last at its port."""
    meter_id = status.meter_id
    if meter_id is None:
        last = read_last_at(reads, status.port)
        if last is None:
            raise NotFound(f"the meter at {status.port} was not read yet", "no_reading")
        meter_id = last.meter_id
    return recorded_meter(reads, (meter_id,)) or unrecorded_meter(reads, live[meter_id])


def _solar_energy(grid: RecordedMeter, plants: Sequence[_Plant], query: Query) -> SolarEnergy:
    """Raises BadRequest, and StoreError if the database does not respond."""
    length, edges = query.buckets(MAX_BUCKETS)
    counters = [grid.counter(IMPORT), grid.counter(EXPORT), *(plant.history for plant in plants)]
    known = _Known(
        [grid.id, grid.id, *(plant.meter.id for plant in plants)],
        [_quarter(counter.nearest_after(edges[0] - 1)) for counter in counters],
    )
    now = query.quarter
    until = min(_quarter(counter.nearest_before(now + 1)) or 0 for counter in counters)
    # the quarter that has just ended may not be written yet
    end = max(until, now - 1)
    counted, whole = _counted(counters, edges, known.begin or edges[-1], end)
    buckets = [_bucket(span, one, end, known, query.tz) for span, one in zip(pairwise(edges), counted, strict=True)]

    def inside(quarter: int | None) -> Instant | UnsetType:
        is_inside = quarter is not None and edges[0] < quarter < edges[-1]
        return quarter_instant(quarter, query.tz) if quarter and is_inside else UNSET

    return SolarEnergy(
        grid=grid.id,
        production=[_plant_meter(plant, edges) for plant in plants],
        has_export=EXPORT in grid.series(),
        simulated=any(meter.simulated for meter in (grid, *(plant.meter for plant in plants))),
        tz=query.tz.key,
        bucket=length,
        begin=quarter_instant(edges[0], query.tz),
        end=quarter_instant(edges[-1], query.tz),
        total=_bucket((edges[0], edges[-1]), whole, end, known, query.tz),
        buckets=buckets,
        since=inside(known.begin),
        until=inside(until),
    )


class _Known(Struct, frozen=True):
    """Of each counter the id of its meter, and its first quarter from the beginning of the period on."""

    names: list[str]
    first: list[int | None]

    @property
    def begin(self) -> int | None:
        """From when on every counter has readings; None if one of them has none."""
        first = [quarter for quarter in self.first if quarter is not None]
        return max(first) if len(first) == len(self.first) else None


def _quarter(reading: QuarterReading | None) -> int | None:
    return reading.quarter if reading else None


def _counted(
    counters: Sequence[CounterHistory], edges: Sequence[int], begin: int, end: int
) -> tuple[list[CommonEnergy], CommonEnergy]:
    """Of each bucket, and of all together; before quarter `begin` and after `end` nothing counts."""
    nothing = CommonEnergy((Decimal(0),) * len(counters), 0, (0,) * len(counters))
    limited = [min(max(edge, begin), max(end, begin)) for edge in edges]
    found, whole = list[CommonEnergy](), nothing
    for periods, all_of_them in _read(counters, sorted(set(limited))):
        found += periods
        whole = add(whole, all_of_them)
    of_buckets = iter(found)
    return [next(of_buckets) if low < high else nothing for low, high in pairwise(limited)], whole


def _read(
    counters: Sequence[CounterHistory], edges: Sequence[int]
) -> Iterator[tuple[list[CommonEnergy], CommonEnergy]]:
    """By parts of a year at most, or of one bucket: ten years at once are too much for a small computer."""
    parts = [[edges[0]]]
    for edge in edges[1:]:
        if len(parts[-1]) > 1 and edge - parts[-1][0] > _QUARTERS_AT_ONCE:
            parts.append([parts[-1][-1]])
        parts[-1].append(edge)
    ends = [parts[0][0], *(part[-1] for part in parts)]
    if len(edges) > 1:
        columns = zip(*(counter.energy_columns(ends) for counter in counters), strict=True)
        yield from (common_energies(row, part) for row, part in zip(columns, parts, strict=True))


def _bucket(span: tuple[int, int], counted: CommonEnergy, end: int, known: _Known, tz: ZoneInfo) -> SolarBucket:
    begin, over = span[0], max(min(span[1], end) - span[0], 0)
    bucket = SolarBucket(
        begin=quarter_instant(begin, tz),
        end=quarter_instant(span[1], tz),
        quarters=over,
        counted_quarters=counted.quarters,
        missing=_missing(begin, over, counted, known) if counted.quarters < over else UNSET,
    )
    if not counted.quarters:
        return bucket
    imported, exported, *produced = counted.energies
    flows = SolarFlows(imported, exported, sum(produced, Decimal(0)))
    return structs.replace(
        bucket,
        production_wh=number(flows.production),
        import_wh=number(flows.imported),
        export_wh=number(flows.exported),
        self_consumption_wh=number(flows.self_consumption),
        consumption_wh=number(flows.consumption),
        self_consumption_rate=optional(flows.self_consumption_rate),
        self_sufficiency=optional(flows.self_sufficiency),
    )


def _missing(begin: int, over: int, counted: CommonEnergy, known: _Known) -> list[str]:
    """The meters that lack a quarter. What is before the last counter's beginning was not read."""
    read = over - max(0, min(over, (begin + over if known.begin is None else known.begin) - begin))
    lacking = [
        name
        for name, first, covered in zip(known.names, known.first, counted.covered, strict=True)
        if first is None or first > begin or covered < read
    ]
    return list(dict.fromkeys(lacking))


def _plant_meter(plant: _Plant, edges: Sequence[int]) -> SolarPlantMeter:
    own, other = plant.history, plant.meter.counter(_OTHER[plant.counter])
    return SolarPlantMeter(plant.meter.id, plant.counter, _period_wh(own, edges), _period_wh(other, edges))


def _period_wh(counter: CounterHistory, edges: Sequence[int]) -> Number | UnsetType:
    ends = counter.outermost(edges[0], edges[-1])
    return number(energy_between(*ends, counter.epochs)) if ends else UNSET


ENDPOINT = Endpoint(
    "/api/v1/solar/energy",
    "solar_energy",
    "Production of a solar plant, self-consumption and self-sufficiency in buckets of local time, exact in Wh.",
    history_results(Result("each bucket, and the whole period", SolarEnergy)) | {404: NO_PLANT},
    _energy,
    (*period_parameters(f"{MAX_BUCKETS:,} buckets"), BUCKET, TIME_ZONE),
)
