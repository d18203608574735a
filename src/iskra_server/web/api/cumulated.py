"""GET /api/electricity/cumulated: the exact total of energy drawn, or 503 with a reason and no number.

Served in front of everything else: the answer is encoded once a telegram, a request only looks whether it still holds.
"""

from typing import Literal
from urllib.parse import parse_qs

import msgspec
from msgspec import UNSET, Struct, UnsetType
from starlette.types import Message, Receive, Scope, Send

from iskra_server.base.clock import boottime_s
from iskra_server.base.json_values import Instant, Number, instant, number
from iskra_server.meter.obis import IMPORT
from iskra_server.meter.reading import Sample, scaled
from iskra_server.reading.hub import Hub
from iskra_server.web.api.meters import Meters
from iskra_server.web.http.headers import NO_STORE, SECURITY, raw
from iskra_server.web.http.problem import known_are

_WH_TO_KWH = -3

Reason = Literal["no_reading", "stale", "no_total", "unknown_meter"]


class Cumulated(Struct, frozen=True):
    """The total of 1.8.0: `time` is the arrival of its telegram, `value` has every digit the meter sent.

    `derived` is there for a total that the meter does not send itself: a sum of tariffs, the total of another channel.
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


class Answer(Struct, frozen=True):
    """An encoded answer. It holds while `newest` is its meter's newest sample, and fresh."""

    meter_id: str
    newest: Sample
    value_s: float
    messages: tuple[Message, Message]


class CumulatedEndpoint:
    """ASGI application. `readout_interval_s` is the shortest time between two new values, 0 = every telegram."""

    def __init__(self, *, hub: Hub, meters: Meters, readout_interval_s: float) -> None:
        self._hub = hub
        self._meters = meters
        self._interval_s = readout_interval_s
        self._answers: dict[str, Answer] = {}
        self._plain: Answer | None = None

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        answer = self._plain
        if answer is not None and not scope["query_string"] and self._holds(answer):
            start, body = answer.messages
        else:
            start, body = self._find(scope["query_string"])
        await send(start)
        await send(body)

    def _holds(self, answer: Answer) -> bool:
        newest = self._hub.newest.get(answer.meter_id)
        return newest is answer.newest and self._hub.is_fresh(answer.meter_id, boottime_s())

    def _find(self, query: bytes) -> tuple[Message, Message]:
        """The long way: which meter, is it fresh, has it a total."""
        named = parse_qs(query.decode("latin-1")).get("meter")
        meter_id = self._meters.find(named[0]) if named else self._meters.first()
        if named and meter_id is None:
            return _unknown(named[0], self._meters.ids())
        answer = self._answer(meter_id) if meter_id else None
        if not named:
            self._plain = answer
        return answer.messages if answer else self._refusal(meter_id)

    def _answer(self, meter_id: str) -> Answer | None:
        """The answer of a meter that is fresh and has a total; the old value within the read-out interval."""
        newest = self._hub.newest.get(meter_id)
        if newest is None or not self._hub.is_fresh(meter_id, boottime_s()):
            self._answers.pop(meter_id, None)
            return None
        answer = self._answers.get(meter_id)
        if answer is not None and newest.monotonic_s - answer.value_s < self._interval_s:
            messages, value_s = answer.messages, answer.value_s
        elif total := read(newest):
            messages, value_s = _encoded(200, total), newest.monotonic_s
        else:
            return None
        self._answers[meter_id] = Answer(meter_id, newest, value_s, messages)
        return self._answers[meter_id]

    def _refusal(self, meter_id: str | None) -> tuple[Message, Message]:
        status = self._meters.status(meter_id)
        newest = self._hub.newest.get(meter_id) if meter_id else None
        sentence = status.sentence if status and not status.ok else None
        if newest is None:
            return _encoded(503, NoValue(sentence or "No reading has arrived from the meter yet.", "no_reading"))
        name, now_s = newest.reading.meter_id, boottime_s()
        if self._hub.is_fresh(name, now_s):
            return _encoded(503, NoValue(f"Meter {meter_id} sends no total of energy drawn (1.8.0).", "no_total"))
        age_s = self._hub.age_s(name, now_s) or 0.0
        return _encoded(503, NoValue(sentence or f"The last reading is {age_s:.0f} s old.", "stale"))


def read(sample: Sample) -> Cumulated | None:
    """What a sample says of the total, or None where it has none."""
    register = sample.reading.get(IMPORT)
    if register is None or isinstance(register.raw, (bool, bytes)):
        return None
    kwh = scaled(register.raw, (register.scaler or 0) + _WH_TO_KWH)
    simulated = True if sample.simulated else UNSET
    return Cumulated(instant(sample.received_at), 0, "kWh", number(kwh), simulated, register.derived or UNSET)


def _unknown(name: str, known: list[str]) -> tuple[Message, Message]:
    return _encoded(404, NoValue(f"There is no meter '{name}'. {known_are(known)}", "unknown_meter"))


def _encoded(status: int, content: Cumulated | NoValue) -> tuple[Message, Message]:
    body = msgspec.json.encode(content)
    own = {"content-type": "application/json", "content-length": str(len(body))}
    return (
        {"type": "http.response.start", "status": status, "headers": raw(own, NO_STORE, SECURITY)},
        {"type": "http.response.body", "body": body},
    )
