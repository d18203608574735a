"""The routes. Read-only: there is nothing to write over HTTP.

The gate stands in front of everything; behind it, the cumulated endpoint and the live stream in front of routing and
middleware, as they are asked all the time.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from iskra_server.diagnosis.status import Status
from iskra_server.outputs.state import OutputState
from iskra_server.reading.hub import Hub
from iskra_server.web.api import openapi
from iskra_server.web.api.api import Api
from iskra_server.web.api.cumulated import CumulatedEndpoint
from iskra_server.web.api.fleet import Fleet
from iskra_server.web.api.history import SWITCHED_OFF, History
from iskra_server.web.api.live import Live
from iskra_server.web.api.meters import Meters
from iskra_server.web.api.quality import Days
from iskra_server.web.api.status import TimeZone
from iskra_server.web.api.support import Recent, SupportEndpoint
from iskra_server.web.http.gate import Gate
from iskra_server.web.http.headers import SecurityHeaders
from iskra_server.web.http.hosts import Hosts
from iskra_server.web.http.pages import REVALIDATE, Pages
from iskra_server.web.http.problem import HANDLERS, PlainJson
from iskra_server.web.http.settings import Settings
from iskra_server.web.http.share import Threads
from iskra_server.web.metrics.metrics import Metrics

if TYPE_CHECKING:
    # for their types alone: they bring the database library along
    from iskra_server.history.recording.writer_state import WriterState
    from iskra_server.history.store.reads import Reads


class App:
    """The whole web room as one ASGI application. `close()` frees its threads when running requests have finished."""

    def __init__(
        self,
        *,
        gate: Gate,
        direct: dict[str, ASGIApp],
        routed: Starlette,
        live: Live | None,
        threads: Threads,
    ) -> None:
        self._running = 0
        self._is_closing = False
        self.routes = routed.routes
        self._gate = gate
        self._direct = direct
        self._routed = SecurityHeaders(PlainJson(routed))
        self._live = live
        self._threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._gate(scope)
        if refusal is not None:
            await SecurityHeaders(refusal)(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD") and (app := self._direct.get(scope["path"])):
            await app(scope, receive, send)
        else:
            self._running += 1
            try:
                await self._routed(scope, receive, send)
            finally:
                self._running -= 1
                self._release_when_idle()

    def close(self) -> None:
        """A reload replaced this app, or the server stops: ends its own live streams."""
        self._is_closing = True
        if self._live:
            self._live.close()
        self._release_when_idle()

    def _release_when_idle(self) -> None:
        if self._is_closing and not self._running:
            self._threads.close()


def create_app(
    *,
    hub: Hub,
    statuses: Callable[[], Sequence[Status]],
    settings: Settings,
    history: Callable[[], "Reads | None"] | None = None,
    history_sentence: Callable[[], str] = str,
    writer: Callable[[], "WriterState | None"] | None = None,
    outputs: Callable[[], Sequence[OutputState]] = tuple,
    days: Days = tuple,
    recent: Recent = tuple,
    log_lines: Callable[[], Sequence[str]] = tuple,
    live: Live | None = None,
    dropped_lines: Callable[[], int] = int,
) -> App:
    """`history` gives None while its database is not open, `history_sentence` then says why; None: switched off.

    `live` outlives this app: its streams go on behind the next one. Without it, the app has its own.
    """
    meters = Meters(hub, statuses)
    streams = live or Live(hub=hub, statuses=statuses, history_sentence=history_sentence, outputs=outputs)
    cumulated = CumulatedEndpoint(hub=hub, meters=meters, readout_interval_s=settings.readout_interval_s)
    direct: dict[str, ASGIApp] = {"/api/electricity/cumulated": cumulated, "/api/v1/live": streams}
    api = Api(
        meters=meters,
        statuses=statuses,
        history_sentence=history_sentence,
        outputs=outputs,
        days=days,
        time_zone=TimeZone(settings.tz, settings.tz_reason),
    )
    threads = Threads()
    past = History(
        meters=meters,
        reads=history or _nothing,
        sentence=history_sentence if history else _switched_off,
        tz=settings.tz,
        threads=threads,
        contracts=settings.contracts,
    )
    fleet = Fleet(
        reads=history or _nothing,
        sentence=history_sentence if history else _switched_off,
        tz=settings.tz,
        threads=threads,
    )
    metrics = Metrics(
        hub=hub,
        statuses=statuses,
        version=settings.version,
        writer=writer or _nothing,
        outputs=outputs,
        dropped_lines=dropped_lines,
    )
    support = SupportEndpoint(recent=recent, lines=log_lines, has_token=bool(settings.token))
    routes = [Route(path, app, methods=["GET"]) for path, app in direct.items()]
    routed = Starlette(
        routes=[
            *routes,
            *_api_routes(api, openapi.document(settings.version)),
            Route("/metrics", metrics.answer),
            Route("/api/v1/support", support.answer),
            *_history_routes(past),
            *_fleet_routes(fleet),
            *Pages(
                {"version": settings.version, "tz": settings.tz, "central": "yes" if settings.is_central else ""}
            ).routes(),
        ],
        exception_handlers=HANDLERS,
    )
    # an address is what it is; one with a slash more is another one
    routed.router.redirect_slashes = False
    gate = Gate(token=settings.token, hosts=Hosts(settings.allowed_hosts), scopes=settings.scopes)
    return App(gate=gate, direct=direct, routed=routed, live=None if live else streams, threads=threads)


def _nothing() -> None:
    """What there is to read without a history."""


def _switched_off() -> str:
    return SWITCHED_OFF


def _api_routes(api: Api, description: bytes) -> list[Route]:
    async def openapi_json(_request: Request) -> Response:
        return Response(description, headers=REVALIDATE, media_type="application/json")

    return [
        Route("/api/v1/meters", api.meters),
        Route("/api/v1/meters/{id}", api.meter),
        Route("/api/v1/status", api.status),
        Route("/api/v1/homeassistant", api.homeassistant),
        Route("/api/v1/quality", api.quality),
        Route("/api/v1/quality/day", api.quality_day),
        Route("/healthz", api.health),
        Route("/api/openapi.json", openapi_json),
    ]


def _history_routes(history: History) -> list[Route]:
    return [
        Route("/api/v1/meters/{id}/energy", history.energy),
        Route("/api/v1/meters/{id}/power", history.power),
        Route("/api/v1/meters/{id}/quarters", history.quarters),
        Route("/api/v1/meters/{id}/cost", history.cost),
        Route("/api/v1/meters/{id}/registers", history.registers),
    ]


def _fleet_routes(fleet: Fleet) -> list[Route]:
    return [
        Route("/api/v1/fleet/meters", fleet.meters),
        Route("/api/v1/fleet/groups", fleet.groups),
        Route("/api/v1/fleet/energy", fleet.energy),
        Route("/api/v1/fleet/readers", fleet.readers),
        Route("/api/v1/fleet/quarters.csv", fleet.export),
    ]
