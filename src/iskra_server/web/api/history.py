"""Endpoints below a meter that read history: energy, power, quarters, cost, registers.

Clients may store their answers, but must revalidate them by their ETag.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.recorded_meter import RecordedMeter, recorded_meter
from iskra_server.web.api.meter_view import Meter
from iskra_server.web.api.meters import Meters
from iskra_server.web.http.endpoint import (
    METER_ID,
    NO_METER,
    Context,
    Endpoint,
    Parameter,
    Result,
    history_results,
    read_history,
)
from iskra_server.web.http.problem import MAX_NAMED, unknown_meter_problem
from iskra_server.web.http.query import Query
from iskra_server.web.http.responses import revalidated_json
from iskra_server.web.http.settings import WebSettings

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.reads import Reads

# later than any moment: when a meter without history was first read
_NEVER_S = 2**62

# raises BadRequest, NotFound, and StoreError if the database does not respond
Read = Callable[[RecordedMeter, Query], Struct | Sequence[Struct]]


def history_endpoint(
    name: str,
    summary: str,
    result: Result,
    read_for: Callable[[WebSettings], Read],
    parameters: tuple[Parameter, ...],
    *,
    not_found: Result = NO_METER,
) -> Endpoint:
    """The endpoint /api/v1/meters/{id}/NAME, which answers with what `read_for(settings)` returns for the meter."""

    async def handler(context: Context, request: Request) -> Response:
        read, meter_name = read_for(context.settings), request.path_params["id"]
        # the hub belongs to the event loop: look up the live meter here, not in the thread
        meters = Meters(context.server)
        meter_id = meters.find(meter_name)
        live = meters.view(meter_id) if meter_id else None
        is_production = meter_id is not None and context.server.hub.is_production(meter_id)
        # of plants whose meter was not read since the start
        plant_ports = {status.port for status in meters.plants() if status.meter_id is None}

        def respond(reads: "Reads", query: Query) -> Response:
            meter = recorded_meter(reads, (meter_name, meter_id or "")) or (
                unrecorded_meter(reads, live) if live else None
            )
            if meter is None:
                known = [info.meter_id for info in reads.first_meters(MAX_NAMED + 1)]
                return unknown_meter_problem(meter_name, known)
            meter.is_production = is_production or (live is None and meter.info.port in plant_ports)
            return revalidated_json(request, read(meter, query))

        return await read_history(context, request, parameters, respond)

    path, results = f"/api/v1/meters/{{id}}/{name}", history_results(result) | {404: not_found}
    return Endpoint(path, name, summary, results, handler, (METER_ID, *parameters))


def unrecorded_meter(reads: "Reads", live: Meter) -> RecordedMeter:
    """A meter that is being read, of which nothing is recorded yet."""
    info = MeterInfo(live.id, live.server_id or "", live.simulated, first_s=_NEVER_S, last_s=_NEVER_S)
    return RecordedMeter(reads, info, [])
