"""The read-only endpoints under /api/v1, and /healthz: live answers, never stored by anyone on the way."""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.base.clock import boottime_s
from iskra_server.diagnosis.status import Status
from iskra_server.homeassistant import rest_yaml as restful
from iskra_server.outputs.state import OutputState
from iskra_server.web.api.meters import Meter, Meters
from iskra_server.web.api.quality import Days, quality_days, quality_list
from iskra_server.web.api.status import TimeZone, server_status
from iskra_server.web.http.headers import NO_STORE
from iskra_server.web.http.problem import known_are, problem


class MeterList(Struct, frozen=True):
    meters: list[Meter]


class HomeAssistant(Struct, frozen=True):
    """What to paste into configuration.yaml, for a server that Home Assistant reaches at `url`."""

    url: str
    yaml: str


class Health(Struct, frozen=True):
    status: Literal["ok"] = "ok"


class Api:
    """The endpoints over one hub."""

    def __init__(
        self,
        *,
        meters: Meters,
        statuses: Callable[[], Sequence[Status]],
        history_sentence: Callable[[], str] = str,
        outputs: Callable[[], Sequence[OutputState]] = tuple,
        days: Days = tuple,
        time_zone: TimeZone | None = None,
    ) -> None:
        self._time_zone = time_zone
        self._meters = meters
        self._statuses = statuses
        self._history_sentence = history_sentence
        self._outputs = outputs
        self._days = days

    async def meters(self, _request: Request) -> Response:
        now_s = boottime_s()
        return _json(MeterList([self._meters.show(meter_id, now_s) for meter_id in self._meters.ids()]))

    async def meter(self, request: Request) -> Response:
        name = request.path_params["id"]
        meter_id = self._meters.find(name)
        if meter_id is None:
            return self._unknown(name)
        meter = self._meters.show(meter_id, boottime_s())
        return _json(meter) if meter.fresh else self._not_fresh(meter)

    async def status(self, _request: Request) -> Response:
        return _json(server_status(self._statuses(), self._history_sentence(), self._outputs(), self._time_zone))

    async def homeassistant(self, request: Request) -> Response:
        """For the address that is given, else the one that was asked."""
        url = request.query_params.get("url") or str(request.base_url)
        base = restful.address(url)
        if base is None:
            return problem(400, f"'{url}' is no address of a server; write it like http://192.168.1.10:8080.")
        now_s = boottime_s()
        shown = MeterList([self._meters.show(meter_id, now_s) for meter_id in self._meters.ids()])
        known = msgspec.json.decode(msgspec.json.encode(shown), type=restful.Meters).meters
        return _json(HomeAssistant(base, restful.whole_yaml(base, [meter for meter in known if meter.registers])))

    async def quality(self, _request: Request) -> Response:
        return _json(quality_list(self._statuses()))

    async def quality_day(self, _request: Request) -> Response:
        return _json(quality_days(self._days()))

    async def health(self, request: Request) -> Response:
        """Of the process alone, or with `?meter=fresh` also of every meter."""
        wanted = request.query_params.get("meter")
        if wanted not in (None, "fresh"):
            return problem(400, f"'meter={wanted}' is not known here; leave it out or say meter=fresh.")
        if wanted and (sentence := self._first_not_fresh()):
            return problem(503, sentence, reason="not_fresh")
        return _json(Health())

    def _first_not_fresh(self) -> str | None:
        """What is wrong with the first source whose meter is not fresh."""
        statuses = self._statuses()
        if not statuses:
            return "No meter is known yet."
        for status in statuses:
            if status.meter_id is None or not self._meters.show(status.meter_id, boottime_s()).fresh:
                return status.sentence
        return None

    def _unknown(self, name: str) -> Response:
        known = self._meters.ids()
        return problem(404, f"There is no meter '{name}'. {known_are(known)}", reason="unknown_meter", meters=known)

    def _not_fresh(self, meter: Meter) -> Response:
        status = self._meters.status(meter.id)
        reason = "stale" if meter.last_seen else "no_reading"
        sentence = status.sentence if status and not status.ok else f"Meter {meter.id} has no fresh reading."
        return problem(503, sentence, reason=reason, last_seen=meter.last_seen or msgspec.UNSET)


def _json(content: Struct) -> Response:
    return Response(msgspec.json.encode(content), headers=NO_STORE, media_type="application/json")
