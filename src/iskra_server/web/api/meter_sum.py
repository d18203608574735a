"""GET /api/v1/sum: the power of several meters of this server together. What a part lacks, the sum lacks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain

from msgspec import UNSET, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.base.json_values import Number, number
from iskra_server.web.api.meter_view import Meter
from iskra_server.web.api.meters import Meters
from iskra_server.web.http.endpoint import (
    TEXT,
    WRONG_PARAMETER,
    Context,
    Endpoint,
    Parameter,
    Result,
    error_response,
    failure,
)
from iskra_server.web.http.problem import unknown_meter
from iskra_server.web.http.query import BadRequest, NotFound, Query
from iskra_server.web.http.responses import json_response

MAX_METERS = 20
METERS = Parameter("meters", f"the meters, 2 to {MAX_METERS}, separated by commas: labels or server ids in hex", TEXT)
NO_METER = failure("no such meter; `detail` names the known ones")


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


async def _live(context: Context, request: Request) -> Response:
    meters = Meters(context.server)
    try:
        query = Query(request.query_params, [METERS.name], now=datetime.now(UTC), tz=context.settings.tz)
        views = [_view(meters, name) for name in names_of(query)]
        check_counted_once(meters.counted(view.id) for view in views)
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
        raise unknown(name, meters.ids())
    return meters.view(meter_id)


def names_of(query: Query) -> list[str]:
    names = split(query.get(METERS.name) or "")
    if not 2 <= len(names) <= MAX_METERS:
        raise BadRequest(f"'{METERS.name}' names {len(names)} meters; name 2 to {MAX_METERS}, separated by commas")
    return names


def split(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def check_counted_once(ids: Iterable[Sequence[str]]) -> None:
    """A meter named twice, one that another replaced, and a part of a virtual one would count twice."""
    counts = Counter(chain.from_iterable(ids))
    twice = next((meter_id for meter_id, count in counts.items() if count > 1), None)
    if twice:
        raise BadRequest(
            f"meter {twice} would count twice; name it once, without one that it replaced or a virtual meter of it"
        )


def unknown(name: str, known: Sequence[str]) -> NotFound:
    return NotFound(unknown_meter(name, known).removesuffix("."), "unknown_meter")


ENDPOINT = Endpoint(
    "/api/v1/sum",
    "sum",
    "The power of several meters together, and of each. What one of them lacks, the sum lacks.",
    {
        200: Result("each meter, and the sum if all have a current power", LiveSum),
        400: WRONG_PARAMETER,
        404: NO_METER,
    },
    _live,
    (METERS,),
)
