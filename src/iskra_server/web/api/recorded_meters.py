"""GET /api/v1/history/meters: the meters whose history can be read, also those that are not being read now."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.base.json_values import Instant, instant
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.recorded_meter import virtual_infos
from iskra_server.web.http.endpoint import NO_HISTORY, NO_PARAMETERS, TOO_MANY, Context, Endpoint, Result, read_history
from iskra_server.web.http.query import Query
from iskra_server.web.http.responses import json_response

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.reads import Reads


MAX_METERS = 1_000


class HistoryMeter(Struct, frozen=True):
    """A meter, with the times of its first and its last record; neither is a current reading.

    The first one is that of the oldest meter that it replaced.
    """

    id: str
    server_id: str | None
    simulated: bool
    recorded_from: Instant
    recorded_until: Instant


class HistoryMeters(Struct, frozen=True):
    """`more`: there are others; a central server lists them at /api/v1/fleet/meters."""

    meters: list[HistoryMeter]
    more: bool


def _view(info: MeterInfo, first_s: int) -> HistoryMeter:
    first, last = (instant(datetime.fromtimestamp(at_s, UTC)) for at_s in (first_s, info.last_s))
    return HistoryMeter(info.meter_id, info.server_id or None, info.simulated, first, last)


def _read(reads: "Reads", _query: Query) -> HistoryMeters:
    known = reads.first_meters(MAX_METERS + 1)
    infos = {info.meter_id: info for info in known[:MAX_METERS]}
    # the history of a replaced meter is part of its successor's
    first_s: dict[str, int] = {}
    for info in infos.values():
        successor = info
        while successor.replaced_by is not None and successor.replaced_by in infos:
            successor = infos[successor.replaced_by]
        first_s[successor.meter_id] = min(info.first_s, first_s.get(successor.meter_id, info.first_s))
    meters = sorted((infos[name] for name in first_s), key=lambda info: info.last_s, reverse=True)
    meters += virtual_infos(reads)
    views = [_view(info, first_s.get(info.meter_id, info.first_s)) for info in meters]
    return HistoryMeters(views, len(known) > MAX_METERS)


async def _list(context: Context, request: Request) -> Response:
    answer = await read_history(context, request, (), _read)
    return answer if isinstance(answer, Response) else json_response(answer)


ENDPOINT = Endpoint(
    "/api/v1/history/meters",
    "history_meters",
    "The meters of the history, that with the last record first, then virtual ones; a replaced meter is part of its "
    "successor.",
    {
        200: Result(f"the meters, at most {MAX_METERS:,}, and from when until when each is recorded", HistoryMeters),
        400: NO_PARAMETERS,
        429: TOO_MANY,
        503: NO_HISTORY,
    },
    _list,
)
