"""GET /api/v1/solar: the power of an own solar plant and of the household, now.

The household is that of the first meter at the grid; the plant is what all meters whose role is production measure.
"""

from datetime import UTC, datetime
from decimal import Decimal

from msgspec import UNSET, Struct, UnsetType, structs
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.base.json_values import Number, number, optional
from iskra_server.diagnosis.facts import ProductionCounter
from iskra_server.diagnosis.status import Status
from iskra_server.history.model.solar_flows import SolarFlows
from iskra_server.web.api.meter_view import Meter
from iskra_server.web.api.meters import Meters
from iskra_server.web.http.endpoint import NO_PARAMETERS, Context, Endpoint, Result, error_response, failure
from iskra_server.web.http.query import BadRequest, NotFound, Query
from iskra_server.web.http.responses import json_response
from iskra_server.web.server_view import ServerView

NO_PLANT = failure("no meter has the role production, or none is at the grid; `reason` is no_production_meter")


class SolarPower(Struct, frozen=True):
    """One of the meters; `meter` is null before it was read. `power_w` is + from the grid, and what a plant produces.

    It is absent while the meter has no current reading, and if it sends no power.
    """

    meter: str | None
    fresh: bool
    age_s: float | None
    power_w: Number | UnsetType = UNSET


class LiveSolar(Struct, frozen=True):
    """The flows are there if every meter has a current reading with its power; `age_s` is the age of the oldest.

    They are not while a meter at the grid that does not count export (2.8.0) shows 0 W: the house may export.
    `grid_w` is + from the grid, - to the grid; `consumption_w` = `production_w` + `grid_w` is what the household uses,
    `self_consumption_w` what it uses of the production. `simulated`: at least one of the meters is.
    """

    grid: SolarPower
    production: list[SolarPower]
    simulated: bool
    age_s: float | UnsetType = UNSET
    grid_w: Number | UnsetType = UNSET
    production_w: Number | UnsetType = UNSET
    consumption_w: Number | UnsetType = UNSET
    self_consumption_w: Number | UnsetType = UNSET


class SolarSources(Struct, frozen=True):
    """The sources of the meter at the grid and of those at the plant; of two sources of one meter the first."""

    grid: Status
    plants: list[Status]


def solar_sources(server: ServerView) -> SolarSources:
    """Raises NotFound without a production meter, and without one at the grid."""
    statuses = server.statuses()
    plants: dict[str, Status] = {}
    for status in Meters(server).plants():
        plants.setdefault(status.meter_id or status.source, status)
    if not plants or statuses[0].facts.role == "production":
        raise NotFound(
            "no solar plant is configured beside a meter at the grid; "
            'give the section [[meters]] of the plant\'s meter role = "production"',
            "no_production_meter",
        )
    return SolarSources(statuses[0], list(plants.values()))


async def _live(context: Context, request: Request) -> Response:
    try:
        Query(request.query_params, (), now=datetime.now(UTC), tz=context.settings.tz)
        sources = solar_sources(context.server)
    except (BadRequest, NotFound) as error:
        return error_response(error)
    meters, statuses = Meters(context.server), (sources.grid, *sources.plants)
    views = [meters.view(status.meter_id) if status.meter_id else None for status in statuses]
    grid_w = _power(views[0])
    produced = [
        _produced(_power(view), status.facts.production_counter)
        for view, status in zip(views[1:], sources.plants, strict=True)
    ]
    parts = [_part(view, power_w) for view, power_w in zip(views, (grid_w, *produced), strict=True)]
    answer = LiveSolar(parts[0], parts[1:], any(status.simulated for status in statuses))
    known = [power_w for power_w in produced if power_w is not None]
    is_export_unknown = grid_w == 0 and sources.grid.facts.is_import_only
    if grid_w is None or is_export_unknown or len(known) < len(produced):
        return json_response(answer)
    flows = SolarFlows(max(grid_w, Decimal(0)), max(-grid_w, Decimal(0)), sum(known, Decimal(0)))
    return json_response(
        structs.replace(
            answer,
            age_s=max(part.age_s or 0.0 for part in parts),
            grid_w=number(grid_w),
            production_w=number(flows.production),
            consumption_w=number(flows.consumption),
            self_consumption_w=number(flows.self_consumption),
        )
    )


def _power(view: Meter | None) -> Decimal | None:
    """None where there is no current reading with power."""
    power = next((register for register in view.registers if register.name == "power"), None) if view else None
    return Decimal(bytes(power.value).decode()) if power else None


def _produced(power_w: Decimal | None, counter: ProductionCounter) -> Decimal | None:
    """As the counter counts it: what an inverter draws at night is no production below 0, but consumption."""
    if power_w is None:
        return None
    return max(-power_w if counter == "export" else power_w, Decimal(0))


def _part(view: Meter | None, power_w: Decimal | None) -> SolarPower:
    if view is None:
        return SolarPower(None, fresh=False, age_s=None)
    return SolarPower(view.id, view.fresh, view.age_s, optional(power_w))


LIVE = Endpoint(
    "/api/v1/solar",
    "solar",
    "What a solar plant produces now, what the household uses, and what flows from or to the grid.",
    {
        200: Result("each meter, and the flows if all have a current power", LiveSolar),
        400: NO_PARAMETERS,
        404: NO_PLANT,
    },
    _live,
)
