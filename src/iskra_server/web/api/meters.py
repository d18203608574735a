"""GET /api/v1/meters and /api/v1/meters/{id}: the meters of this server. GET /api/v1/homeassistant: YAML for them."""

from collections.abc import Sequence
from itertools import chain, takewhile

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.base.clock import boottime_s
from iskra_server.base.language import LANGUAGES
from iskra_server.diagnosis.status import Status
from iskra_server.homeassistant import rest_yaml
from iskra_server.meter.identity import compact_name
from iskra_server.meter.virtual_meter import VIRTUAL
from iskra_server.reading.virtual_readings import VirtualState
from iskra_server.web.api.meter_view import Meter, meter_view, unread_meter_view
from iskra_server.web.http.endpoint import METER_ID, NO_METER, TEXT, Context, Endpoint, Parameter, Result, failure
from iskra_server.web.http.problem import problem, unknown_meter_problem
from iskra_server.web.http.responses import json_response
from iskra_server.web.server_view import ServerView


class MeterList(Struct, frozen=True):
    meters: list[Meter]


class HomeAssistant(Struct, frozen=True):
    """Sensors for configuration.yaml that read this server at `url`."""

    url: str
    yaml: str


class Meters:
    """The meters of a running server, in the order of their sources, and the names by which they are found."""

    def __init__(self, server: ServerView) -> None:
        self._server = server
        self._hub = server.hub

    def ids(self) -> list[str]:
        configured = [status.meter_id for status in self._server.statuses() if status.meter_id]
        return list(dict.fromkeys([*configured, *self._hub.newest, *self._virtual()]))

    def first(self) -> str | None:
        """The electricity meter of the first source; None while it is unknown, even if other sources deliver.

        The meter of a solar plant only where no other is configured.
        """
        statuses = self._server.statuses()
        return statuses[0].meter_id if statuses else next(iter(self._hub.electricity_meters()), None)

    def plants(self) -> list[Status]:
        """The sources at solar plants, in the order of the configuration."""
        statuses = self._server.statuses()
        # they are the last ones: of a thousand sources no other is diagnosed, but one
        last_first = (statuses[place] for place in reversed(range(len(statuses))))
        return list(takewhile(lambda status: status.facts.role == "production", last_first))[::-1]

    def find(self, name: str) -> str | None:
        """The id of the meter with this label, with or without spaces, or with this server id in hex."""
        # meters in the hub first: a diagnosis of a thousand sources takes long
        if meter_id := self._hub.find(name):
            return meter_id
        wanted = compact_name(name)
        configured = (status.meter_id for status in self._server.statuses() if status.meter_id)
        unread = chain(self._virtual(), configured)
        return next((meter_id for meter_id in unread if compact_name(meter_id) == wanted), None)

    def status(self, meter_id: str | None) -> Status | None:
        """The diagnosis of a meter's source; without a meter that of the first source."""
        statuses = self._server.statuses()
        if meter_id is None:
            return statuses[0] if statuses else None
        return next((status for status in statuses if status.meter_id == meter_id), None)

    def view(self, meter_id: str) -> Meter:
        """The meter as it is now."""
        sample, stale_after_s = self._hub.newest.get(meter_id), self._hub.stale_after_s(meter_id)
        if sample is None:
            status, virtual = self.status(meter_id), self._virtual().get(meter_id)
            source, simulated = (status.source, status.simulated) if status else ("", False)
            if virtual:
                source, simulated, stale_after_s = VIRTUAL, virtual.simulated, virtual.stale_after_s
            return unread_meter_view(meter_id, source=source, simulated=simulated, stale_after_s=stale_after_s)
        now_s = boottime_s()
        fresh, age_s = self._hub.is_fresh(meter_id, now_s), self._hub.age_s(meter_id, now_s) or 0.0
        return meter_view(
            sample,
            age_s=age_s,
            fresh=fresh,
            stale_after_s=stale_after_s,
            is_production=self._hub.is_production(meter_id),
        )

    def why_stale(self, meter_id: str) -> str:
        """The sentence about a meter without a current reading."""
        virtual, status = self._virtual().get(meter_id), self.status(meter_id)
        if virtual and not virtual.ok and virtual.advice.fault != "virtual_well":
            return virtual.sentence
        return status.sentence if status and not status.ok else f"Meter {meter_id} has no current reading."

    def counted(self, meter_id: str) -> Sequence[str]:
        """The meters whose power that of this one is made of."""
        virtual = self._virtual().get(meter_id)
        return [part.meter for part in virtual.parts if part.meter] if virtual else [meter_id]

    def list(self) -> MeterList:
        return MeterList([self.view(meter_id) for meter_id in self.ids()])

    def _virtual(self) -> dict[str, VirtualState]:
        return {state.id: state for state in self._server.virtual_states()}


async def _list(context: Context, _request: Request) -> Response:
    return json_response(Meters(context.server).list())


async def _one(context: Context, request: Request) -> Response:
    meters, name = Meters(context.server), request.path_params["id"]
    meter_id = meters.find(name)
    if meter_id is None:
        return unknown_meter_problem(name, meters.ids())
    meter = meters.view(meter_id)
    if meter.fresh:
        return json_response(meter)
    reason = "stale" if meter.last_seen else "no_reading"
    return problem(503, meters.why_stale(meter.id), reason=reason, last_seen=meter.last_seen or msgspec.UNSET)


async def _homeassistant(context: Context, request: Request) -> Response:
    try:
        base = rest_yaml.address(request.query_params.get("url") or str(request.base_url))
    except ValueError as error:
        return problem(400, str(error))
    text = request.query_params.get("lang", "en")
    language = next((language for language in LANGUAGES if language == text), None)
    if language is None:
        return problem(400, f"'lang={text[:40]}' is not allowed; choose {' or '.join(LANGUAGES)}.")
    content = msgspec.json.encode(Meters(context.server).list())
    meters = [meter for meter in msgspec.json.decode(content, type=rest_yaml.ListedMeters).meters if meter.registers]
    return json_response(HomeAssistant(base, rest_yaml.whole_yaml(base, meters, language)))


LIST = Endpoint(
    "/api/v1/meters",
    "meters",
    "All meters with all registers. A meter without a current reading has no registers.",
    {200: Result("the meters, in the order of their sources", MeterList)},
    _list,
)
ONE = Endpoint(
    "/api/v1/meters/{id}",
    "meter",
    "One meter with all registers.",
    {
        200: Result("the meter", Meter),
        404: NO_METER,
        503: failure("the meter has no current reading; `last_seen` is the time of its last one"),
    },
    _one,
    (METER_ID,),
)
HOMEASSISTANT = Endpoint(
    "/api/v1/homeassistant",
    "homeassistant",
    "YAML for Home Assistant: RESTful sensors that read this server, ready to paste into configuration.yaml.",
    {
        200: Result("the YAML, with all registers of all meters that have a current reading", HomeAssistant),
        400: failure("`url` is not the address of a server, or `lang` no language"),
    },
    _homeassistant,
    (
        Parameter("url", "address of this server for Home Assistant; default: the address of the request", TEXT),
        Parameter("lang", "language of names and comments", {**TEXT, "enum": list(LANGUAGES), "default": "en"}),
    ),
)
