"""GET /api/electricity/cumulated: the exact meter reading (import), or 503 with a reason and no number.

Served before routing: the answer is encoded once per telegram, and a request only checks whether it is still valid.
"""

from math import inf
from typing import Literal
from urllib.parse import parse_qs

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace
from starlette.types import Message, Receive, Scope, Send

from iskra_server.base.clock import boottime_s
from iskra_server.base.json_values import Instant, Number, instant, number
from iskra_server.meter.lists import shown
from iskra_server.meter.obis import IMPORT
from iskra_server.meter.reading import Sample, scaled
from iskra_server.meter.units import WH_TO_KWH
from iskra_server.web.api.meters import Meters
from iskra_server.web.http.endpoint import METER_NAME, TEXT, Endpoint, Parameter, Result
from iskra_server.web.http.problem import unknown_meter
from iskra_server.web.http.responses import JSON, NO_STORE, SECURITY, raw_headers
from iskra_server.web.server_view import ServerView

Reason = Literal["no_reading", "stale", "no_total", "held_back", "unknown_meter"]


class Cumulated(Struct, frozen=True):
    """The total of 1.8.0. `time` is when its telegram arrived, `value` has every digit that the meter sent.

    `derived` is present if the meter does not send this total: a sum of tariffs, or the total of another channel.
    """

    time: Instant
    type: Literal[0]
    unit: Literal["kWh"]
    value: Number
    simulated: bool | UnsetType = UNSET
    derived: str | UnsetType = UNSET


class NoValue(Struct, frozen=True):
    """Why there is no value: `error` for people, `reason` for programs."""

    error: str
    reason: Reason


class EncodedTotal(Struct, frozen=True):
    """An encoded answer, valid while `newest` is its meter's newest sample and fresh, and until `stale_at_s`.

    `value_s` is when the telegram of its value arrived (boot time): older than `newest` within a read-out interval.
    `stale_at_s` is when a total of another list than the newest one is stale.
    """

    meter_id: str
    newest: Sample
    value_s: float
    messages: tuple[Message, Message]
    stale_at_s: float


class CumulatedApp:
    """ASGI application. `readout_interval_s` is the minimum time between two new values; 0: every telegram."""

    def __init__(self, server: ServerView, readout_interval_s: float) -> None:
        self._hub = server.hub
        self._meters = Meters(server)
        self._interval_s = readout_interval_s
        self._totals: dict[str, EncodedTotal] = {}
        # the answer to a request without parameters
        self._default: EncodedTotal | None = None

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        total = self._default
        if total is not None and not scope["query_string"] and self._is_valid(total):
            start, body = total.messages
        else:
            start, body = self._answer(scope["query_string"])
        await send(start)
        await send(body)

    def _is_valid(self, total: EncodedTotal) -> bool:
        newest, now_s = self._hub.newest.get(total.meter_id), boottime_s()
        return newest is total.newest and now_s <= total.stale_at_s and self._hub.is_fresh(total.meter_id, now_s)

    def _answer(self, query: bytes) -> tuple[Message, Message]:
        names = parse_qs(query.decode("latin-1")).get("meter")
        meter_id = self._meters.find(names[0]) if names else self._meters.first()
        if names and meter_id is None:
            return _encode(404, NoValue(unknown_meter(names[0], self._meters.ids()), "unknown_meter"))
        total = self._total(meter_id) if meter_id else None
        if not names:
            self._default = total
        return total.messages if total else self._no_value(meter_id)

    def _total(self, meter_id: str) -> EncodedTotal | None:
        """None if the meter is not fresh or has no total; within the read-out interval the value stays the same."""
        newest, now_s = self._hub.newest.get(meter_id), boottime_s()
        if newest is None or not self._hub.is_fresh(meter_id, now_s):
            self._totals.pop(meter_id, None)
            return None
        total = self._totals.get(meter_id)
        if total is not None and newest.monotonic_s - total.value_s < self._interval_s and now_s <= total.stale_at_s:
            self._totals[meter_id] = replace(total, newest=newest)
        elif content := cumulated(newest, newest.age_s(now_s)):
            messages, stale_at_s = _encode(200, content), newest.monotonic_s + _current_for_s(newest)
            self._totals[meter_id] = EncodedTotal(meter_id, newest, newest.monotonic_s, messages, stale_at_s)
        else:
            self._totals.pop(meter_id, None)
            return None
        return self._totals[meter_id]

    def _no_value(self, meter_id: str | None) -> tuple[Message, Message]:
        status = self._meters.status(meter_id)
        newest = self._hub.newest.get(meter_id) if meter_id else None
        sentence = status.sentence if status and not status.ok else None
        if newest is None:
            return _encode(503, NoValue(sentence or "No reading has arrived from the meter yet.", "no_reading"))
        name, now_s = newest.reading.meter_id, boottime_s()
        if self._hub.is_fresh(name, now_s):
            if status and (advice := status.why_held_back(IMPORT.short)):
                return _encode(503, NoValue(str(advice.en), "held_back"))
            sentence = f"Meter {meter_id} has sent no total import register (1.8.0) that is current."
            return _encode(503, NoValue(sentence, "no_total"))
        age_s = self._hub.age_s(name, now_s) or 0.0
        return _encode(503, NoValue(sentence or f"The last reading is {age_s:.0f} s old.", "stale"))


def cumulated(sample: Sample, age_s: float) -> Cumulated | None:
    """The total in a sample whose age is `age_s`, or in another list of its meter; None if there is none."""
    item = next((item for item in shown(sample, age_s) if item.register.obis == IMPORT), None)
    register = item.register if item else None
    if item is None or register is None or isinstance(register.raw, (bool, bytes)):
        return None
    kwh = scaled(register.raw, (register.scaler or 0) + WH_TO_KWH)
    simulated = True if sample.simulated else UNSET
    return Cumulated(instant(item.received_at), 0, "kWh", number(kwh), simulated, register.derived or UNSET)


def _current_for_s(sample: Sample) -> float:
    """How long after the arrival of a sample its total is current, if it is that of another list."""
    totals = (item for item in sample.earlier if item.register.obis == IMPORT)
    return next((item.limit_s - item.lag_s - item.waited_s for item in totals), inf)


def _encode(status: int, content: Cumulated | NoValue) -> tuple[Message, Message]:
    body = msgspec.json.encode(content)
    headers = {"content-type": JSON, "content-length": str(len(body))}
    return (
        {"type": "http.response.start", "status": status, "headers": raw_headers(headers, NO_STORE, SECURITY)},
        {"type": "http.response.body", "body": body},
    )


ENDPOINT = Endpoint(
    "/api/electricity/cumulated",
    "cumulated",
    "Exact meter reading (import) in kWh, with all digits the meter sent. Without a current reading: 503 and no value.",
    {
        200: Result("the total, and when its telegram arrived", Cumulated),
        404: Result("no such meter", NoValue),
        503: Result("there is no current reading; `reason` says why", NoValue),
    },
    parameters=(Parameter("meter", f"{METER_NAME}; default: the first meter", TEXT),),
)
