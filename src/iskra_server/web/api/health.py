"""GET /api/v1/status, /api/v1/quality, /api/v1/quality/day and /healthz: whether telegrams arrive, and why not."""

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct, structs
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.base.json_values import Instant, instant
from iskra_server.diagnosis.facts import ALIGN_S, StreamQuality
from iskra_server.diagnosis.status import Status
from iskra_server.reading.reception import ReceptionDay
from iskra_server.web.api.meters import Meters
from iskra_server.web.api.status import ServerIdentity, ServerStatus, TimeZone, server_status
from iskra_server.web.http.endpoint import TEXT, Context, Endpoint, Parameter, Result, failure
from iskra_server.web.http.problem import problem
from iskra_server.web.http.responses import json_response
from iskra_server.web.server_view import ServerView, history_sentence


class SourceQuality(StreamQuality, frozen=True, kw_only=True):
    """The reception of one source during the last `seconds`; `meter_id` is null before its first telegram."""

    source: str
    port: str
    meter_id: str | None


class QualityList(Struct, frozen=True):
    sources: list[SourceQuality]


class SourceDay(ReceptionDay, frozen=True, kw_only=True):
    source: str


class QualityDays(Struct, frozen=True):
    """`at` is the end of the last slot of every source; the other slots precede it without gaps."""

    at: Instant
    sources: list[SourceDay]


class Health(Struct, frozen=True):
    status: Literal["ok"] = "ok"


def _source_quality(status: Status) -> SourceQuality:
    quality = status.facts.last_10s or StreamQuality(ALIGN_S, 0, 0, 0, 0, None)
    return SourceQuality(**structs.asdict(quality), source=status.source, port=status.port, meter_id=status.meter_id)


async def _status(context: Context, _request: Request) -> Response:
    server, settings = context.server, context.settings
    time_zone = TimeZone(settings.tz, settings.tz_reason)
    build = settings.build
    commit, date = (build.commit, build.date) if build else (None, None)
    identity = ServerIdentity(server.server_id, settings.version, commit, date)
    return json_response(
        server_status(
            server.statuses(),
            history_sentence(server),
            server.output_states(),
            time_zone=time_zone,
            server=identity,
            virtual=server.virtual_states(),
            central=server.central_state(),
        )
    )


async def _quality(context: Context, _request: Request) -> Response:
    return json_response(QualityList([_source_quality(status) for status in context.server.statuses()]))


async def _quality_day(context: Context, _request: Request) -> Response:
    days = context.server.reception_days()
    sources = [SourceDay(**structs.asdict(day), source=source) for source, day in days]
    return json_response(QualityDays(instant(datetime.now(UTC)), sources))


async def _health(context: Context, request: Request) -> Response:
    meter = request.query_params.get("meter")
    if meter not in (None, "fresh"):
        return problem(400, f"'meter={meter[:40]}' is not allowed; leave it out or give meter=fresh.")
    if meter and (sentence := _first_not_fresh(context.server)):
        return problem(503, sentence, reason="not_fresh")
    return json_response(Health())


def _first_not_fresh(server: ServerView) -> str | None:
    """The diagnosis of the first source whose meter has no current reading."""
    statuses, meters = server.statuses(), Meters(server)
    if not statuses:
        return "No meter is known yet."
    for status in statuses:
        if status.meter_id is None or not meters.view(status.meter_id).fresh:
            return status.sentence
    return None


STATUS = Endpoint(
    "/api/v1/status",
    "status",
    "Diagnosis of every source: the checks from the device to a plausible value, the first failed check, what it means "
    "and what to do in English and German, and further notices.",
    {200: Result("the diagnosis of every source", ServerStatus)},
    _status,
)
QUALITY = Endpoint(
    "/api/v1/quality",
    "quality",
    "Reception of every source during the last ten seconds. Ask once a second while you align a reading head.",
    {200: Result("counts of every source; `valid_ratio` is null if no telegram began", QualityList)},
    _quality,
)
QUALITY_DAY = Endpoint(
    "/api/v1/quality/day",
    "quality_day",
    "Valid and damaged telegrams of every source in 5-minute steps, for the last 24 hours.",
    {200: Result("counts of every source, beginning with the start of the server", QualityDays)},
    _quality_day,
)
HEALTH = Endpoint(
    "/healthz",
    "health",
    "Health check of the process; with meter=fresh also of every meter.",
    {
        200: Result("healthy", Health),
        400: failure("`meter` has another value than fresh"),
        503: failure("a meter has no current reading"),
    },
    _health,
    (Parameter("meter", "fresh: every meter must have a current reading", {**TEXT, "enum": ["fresh"]}),),
)
