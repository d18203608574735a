"""The web application: the table of endpoints, access control in front of it, and the pages. It is read-only.

The cumulated endpoint and the live stream are served before routing and middleware, because they are used most.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import cache, partial
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from iskra_server.base.hosts import Hosts
from iskra_server.web.api import (
    compare_contracts,
    config_check,
    contract_years,
    cost,
    cost_forecast,
    counters,
    cumulated,
    energy,
    health,
    live,
    meter_sum,
    meter_sum_energy,
    meters,
    normal,
    power,
    prices,
    quarters,
    recorded_meters,
    registers,
    solar,
    solar_energy,
    standby,
    support,
)
from iskra_server.web.api.cumulated import CumulatedApp
from iskra_server.web.api.live import Live
from iskra_server.web.api.openapi import document
from iskra_server.web.api.reading_html import preferred_language, reading_html
from iskra_server.web.http.endpoint import Context, Endpoint
from iskra_server.web.http.gate import GROUPS, Gate
from iskra_server.web.http.pages import REVALIDATE, FirstView, Pages, not_found
from iskra_server.web.http.problem import HANDLERS, plain_json
from iskra_server.web.http.responses import JSON, secured
from iskra_server.web.http.settings import WebSettings
from iskra_server.web.http.share import Threads
from iskra_server.web.metrics import metrics
from iskra_server.web.server_view import ServerView

# None for a request that may pass, else the response to it
AccessCheck = Callable[[Scope], ASGIApp | None]
# the routes of a central server
FLEET = "/api/v1/fleet/{name}"
# without those of a central server (all_endpoints)
ENDPOINTS = (
    cumulated.ENDPOINT,
    meters.LIST,
    meters.ONE,
    energy.ENDPOINT,
    power.ENDPOINT,
    quarters.ENDPOINT,
    counters.ENDPOINT,
    compare_contracts.ENDPOINT,
    cost.ENDPOINT,
    meter_sum.ENDPOINT,
    meter_sum_energy.ENDPOINT,
    solar.LIVE,
    solar_energy.ENDPOINT,
    *prices.ENDPOINTS,
    cost_forecast.ENDPOINT,
    contract_years.ENDPOINT,
    standby.ENDPOINT,
    *normal.ENDPOINTS,
    recorded_meters.ENDPOINT,
    registers.ENDPOINT,
    live.ENDPOINT,
    health.STATUS,
    meters.HOMEASSISTANT,
    health.QUALITY,
    health.QUALITY_DAY,
    metrics.ENDPOINT,
    support.ENDPOINT,
    config_check.ENDPOINT,
    health.HEALTH,
)


class App:
    """The web as one ASGI application. `close()` ends its threads as soon as no request is running."""

    def __init__(
        self,
        *,
        gate: AccessCheck,
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
        self._routed = secured(plain_json(routed))
        self._live = live
        self._threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(self._gate, scope, receive, send)

    def behind(self, gate: AccessCheck) -> ASGIApp:
        """This app behind another access control, for another port."""
        return partial(self._answer, gate)

    async def _answer(self, gate: AccessCheck, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = gate(scope)
        if refusal is not None:
            await secured(refusal)(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD") and (app := self._direct.get(scope["path"])):
            await app(scope, receive, send)
        else:
            self._running += 1
            try:
                await self._routed(scope, receive, send)
            finally:
                self._running -= 1
                self._close_when_idle()

    def close(self) -> None:
        """Call it when the server stops, or when a reload has replaced this app. Ends its own live streams."""
        self._is_closing = True
        if self._live:
            self._live.close()
        self._close_when_idle()

    def _close_when_idle(self) -> None:
        if self._is_closing and not self._running:
            self._threads.close()


def create_app(settings: WebSettings, server: ServerView, streams: Live | None = None) -> App:
    """`streams` outlives this app: its streams continue after a reload. Without it, the app has its own."""
    live_app = streams or Live(server)
    direct: dict[str, ASGIApp] = {
        cumulated.ENDPOINT.path: CumulatedApp(server, settings.readout_interval_s),
        live.ENDPOINT.path: live_app,
    }
    threads = Threads()
    context = Context(settings, server, threads, exports=[])
    variables = {
        "version": settings.version,
        "build": str(settings.build or ""),
        "tz": settings.tz,
        "central": "yes" if settings.is_central else "",
        "language": settings.language,
        "history": "yes" if settings.has_history else "",
    }

    def first_view(request: Request) -> FirstView:
        language = preferred_language(settings.language, request.headers.get("accept-language", ""))
        is_scoped = GROUPS in request.scope
        # a token for some groups gives access to no meter of this server itself
        return FirstView(language, reading_html(None if is_scoped else server, settings.tz, language), is_scoped)

    routed = Starlette(
        routes=[
            # requests with other methods get the 405 of routing
            *(Route(path, app, methods=["GET"]) for path, app in direct.items()),
            *_routes(ENDPOINTS, context),
            Route(FLEET, _FleetRoutes(context)),
            Route("/api/openapi.json", partial(_openapi, settings.version)),
            *Pages(variables, settings.own_address, first_view).routes(),
        ],
        exception_handlers={**HANDLERS, HTTPStatus.NOT_FOUND: not_found},
    )
    # an address with a further slash is another address
    routed.router.redirect_slashes = False
    gate = Gate(settings.token, settings.scoped_tokens, Hosts(settings.allowed_hosts))
    return App(gate=gate, direct=direct, routed=routed, live=None if streams else live_app, threads=threads)


@cache
def all_endpoints() -> tuple[Endpoint, ...]:
    """Imports those of a central server, which take memory that a small computer with one meter does not have."""
    from iskra_server.fleet.central import api  # noqa: PLC0415

    return *ENDPOINTS, *api.ENDPOINTS


class _FleetRoutes:
    """The routes of a central server. The first request waits until they are imported, in a thread."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._router: Router | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._router is None:
            endpoints = await asyncio.to_thread(all_endpoints)
            here = (item for item in endpoints if item.path.startswith(FLEET.format(name="")))
            self._router = Router(_routes(here, self._context), redirect_slashes=False)
        await self._router(scope, receive, send)


def _routes(endpoints: Iterable[Endpoint], context: Context) -> list[Route]:
    return [
        Route(item.path, partial(item.handler, context), methods=[item.method]) for item in endpoints if item.handler
    ]


@cache
def _description(version: str) -> bytes:
    return document(all_endpoints(), version)


async def _openapi(version: str, _request: Request) -> Response:
    description = await asyncio.to_thread(_description, version)
    return Response(description, headers={"cache-control": REVALIDATE}, media_type=JSON)
