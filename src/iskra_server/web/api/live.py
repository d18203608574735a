"""GET /api/v1/live: server-sent events, one per telegram, straight from the hub to the socket.

    id: 1795255200123456            arrival in microseconds since 1970: it grows, also across restarts
    event: reading                  or `status`, when the result of a check changes
    data: {"id":"1 ISK 00 70347617", ...}

The JSON of a telegram is encoded once for all clients. A slow client loses its oldest events and delays no other.

?brief=yes is for clients behind a proxy that holds a stream back until it ends, such as the ingress of Home Assistant
before 2026.2, which compresses it: an answer ends with the next telegram, and the client asks again.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import structs
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from iskra_server.base.clock import boottime_s
from iskra_server.diagnosis.status import Status
from iskra_server.meter.reading import Sample
from iskra_server.outputs.state import OutputState
from iskra_server.web.api.meter_view import Meter, meter_view
from iskra_server.web.api.status import server_status
from iskra_server.web.http.endpoint import Endpoint, Parameter, Result, failure
from iskra_server.web.http.problem import problem
from iskra_server.web.http.query import whole_number
from iskra_server.web.http.responses import NO_STORE, SECURITY, raw_headers, secured
from iskra_server.web.http.share import Client, client_of, disconnected, heaviest
from iskra_server.web.server_view import ServerView, history_sentence

# half of the connections that may be open (connection.py); the other half is for short requests
MAX_STREAMS = 128
_MEDIA_TYPE = "text/event-stream"
# an id has at most 64 bits
_MAX_ID = 2**63 - 1
_STATUS_INTERVAL_S = 1.0
# the diagnosis of so many sources delays a telegram at most
_DIAGNOSES_AT_ONCE = 20
# proxies close connections that are silent for 30 s or 60 s
_HEARTBEAT_S = 15.0
_RETRY = b"retry: 2000\n\n"
# an answer to ?brief=yes waits so long for a telegram; the client asks again at once
BRIEF_S = 2.0
_RETRY_BRIEF = b"retry: 100\n\n"
_HEARTBEAT = b":\n\n"
_UNBUFFERED = {"x-accel-buffering": "no"}
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": raw_headers({"content-type": f"{_MEDIA_TYPE}; charset=utf-8"}, NO_STORE, _UNBUFFERED, SECURITY),
}


class LiveMeter(Meter, frozen=True, kw_only=True):
    """A meter at the moment of a telegram; at most `measured_age_s` ago its last byte arrived."""

    measured_age_s: float


class Live:
    """ASGI application. `close()` ends every stream, so that the server can stop."""

    def __init__(self, server: ServerView) -> None:
        self._server = server
        self._hub = server.hub
        # the newest event of each meter
        self._events: dict[str, tuple[Sample, bytes]] = {}
        self._statuses: Sequence[Status] = ()
        self._checks: Sequence[object] = ()
        self._diagnosed_s = -_STATUS_INTERVAL_S
        self._diagnosing = asyncio.Lock()
        self._closing = asyncio.Event()
        # the event that ends each stream, and the stream's client; oldest first
        self._streams: dict[asyncio.Event, Client] = {}

    def close(self) -> None:
        self._closing.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        last_id = _last_event_id(scope)
        if last_id is None:
            sentence = "Last-Event-ID must be the id of an event of this stream; leave it out to begin with the newest."
            await secured(problem(400, sentence, reason="bad_request"))(scope, receive, send)
            return
        brief = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)).get("brief")
        if brief not in (None, "yes"):
            sentence = "'brief' must be yes; leave it out for a stream that does not end."
            await secured(problem(400, sentence, reason="bad_request"))(scope, receive, send)
            return
        client = client_of(scope)
        if len(self._streams) >= MAX_STREAMS and not self._make_room(client):
            sentence = f"{MAX_STREAMS} live streams are open, the maximum; close one of yours."
            await secured(problem(503, sentence, reason="too_many_streams"))(scope, receive, send)
            return
        ended = asyncio.Event()
        self._streams[ended] = client
        try:
            await send(_START)
            if scope["method"] != "HEAD":
                events = self._send_briefly(last_id, send) if brief else self._stream(last_id, send)
                await self._until_ended(events, receive, ended)
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._streams.pop(ended, None)

    def _make_room(self, newcomer: Client) -> bool:
        """Ends the oldest stream of the client with the most streams; False if `newcomer` would then have as many."""
        client = heaviest(self._streams.values(), newcomer)
        oldest = next((ended for ended, holder in self._streams.items() if holder == client), None)
        if client is None or oldest is None:
            return False
        oldest.set()
        del self._streams[oldest]
        return True

    async def _until_ended(self, sending: Coroutine[Any, Any, None], receive: Receive, ended: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            events = group.create_task(sending, name="live events")
            disconnect = group.create_task(disconnected(receive), name="live disconnect")
            displaced = group.create_task(ended.wait(), name="live end")
            closing = group.create_task(self._closing.wait(), name="live closing")
            tasks = events, disconnect, displaced, closing
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()

    async def _stream(self, last_id: int, send: Send) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_readings(last_id, send), name="live readings")
            group.create_task(self._send_statuses(send), name="live statuses")

    async def _send_briefly(self, last_id: int, send: Send) -> None:
        """What the client has not seen, else the next telegram within BRIEF_S; and the status."""
        with self._hub.subscribe("live") as samples:
            events = self._newest_events(last_id)
            if not events:
                with suppress(TimeoutError):
                    async with asyncio.timeout(BRIEF_S):
                        events = self._event(await anext(samples))
        await self._diagnose()
        body = _RETRY_BRIEF + events + self._status_event()
        await send({"type": "http.response.body", "body": body, "more_body": True})

    async def _send_readings(self, last_id: int, send: Send) -> None:
        with self._hub.subscribe("live") as samples:
            body = _RETRY + self._newest_events(last_id)
            await send({"type": "http.response.body", "body": body, "more_body": True})
            async for sample in samples:
                await send({"type": "http.response.body", "body": self._event(sample), "more_body": True})

    def _newest_events(self, last_id: int) -> bytes:
        """The newest event of every fresh meter, in the order of the sources, unless the client has seen it."""
        now_s = boottime_s()
        places = {status.meter_id: place for place, status in enumerate(self._statuses)}
        meters = sorted(self._hub.newest.items(), key=lambda item: places.get(item[0], len(places)))
        fresh = (sample for meter_id, sample in meters if self._hub.is_fresh(meter_id, now_s))
        return b"".join(self._encode(sample) for sample in fresh if event_id(sample) > last_id)

    def _event(self, sample: Sample) -> bytes:
        meter_id = sample.reading.meter_id
        newest = self._events.get(meter_id)
        if newest and newest[0] is sample:
            return newest[1]
        event = self._encode(sample)
        # a slow client may be behind the newest sample
        if newest is None or newest[0].monotonic_s <= sample.monotonic_s:
            self._events[meter_id] = sample, event
        return event

    def _encode(self, sample: Sample) -> bytes:
        meter = meter_view(
            sample,
            age_s=sample.age_s(boottime_s()),
            fresh=True,
            stale_after_s=self._hub.stale_after_s(sample.reading.meter_id),
            is_production=self._hub.is_production(sample.reading.meter_id),
        )
        data = LiveMeter(**structs.asdict(meter), measured_age_s=meter.age_s or 0.0)
        return b"id: %d\nevent: reading\ndata: %b\n\n" % (event_id(sample), msgspec.json.encode(data))

    async def _send_statuses(self, send: Send) -> None:
        """A status event when something changes, else a comment as heartbeat."""
        sent: object = None
        silent_since_s = time.monotonic()
        while True:
            await self._diagnose()
            outputs = [_output_state(output) for output in self._server.output_states()]
            virtual = [(meter.ok, meter.advice.fault) for meter in self._server.virtual_states()]
            body = b""
            central = self._server.central_state()
            if (state := (self._checks, history_sentence(self._server), outputs, virtual, central)) != sent:
                sent, body = state, self._status_event()
            elif time.monotonic() - silent_since_s >= _HEARTBEAT_S:
                silent_since_s, body = time.monotonic(), _HEARTBEAT
            if body:
                await send({"type": "http.response.body", "body": body, "more_body": True})
            await asyncio.sleep(_STATUS_INTERVAL_S)

    def _status_event(self) -> bytes:
        history, outputs, virtual = (
            history_sentence(self._server),
            self._server.output_states(),
            self._server.virtual_states(),
        )
        central = self._server.central_state()
        status = server_status(self._statuses, history, outputs, virtual=virtual, central=central)
        return b"event: status\ndata: %b\n\n" % msgspec.json.encode(status)

    async def _diagnose(self) -> None:
        """The diagnosis of every source, once for all clients; with a thousand sources telegrams go in between."""
        async with self._diagnosing:
            if time.monotonic() - self._diagnosed_s <= _STATUS_INTERVAL_S / 2:
                return
            statuses: list[Status] = []
            for status in self._server.statuses():
                statuses.append(status)
                if not len(statuses) % _DIAGNOSES_AT_ONCE:
                    await asyncio.sleep(0)
            checks = [_check_states(status) for status in statuses]
            self._statuses, self._diagnosed_s = statuses, time.monotonic()
            # keep the same list while nothing changes: identical objects compare fast
            self._checks = self._checks if checks == self._checks else checks


def event_id(sample: Sample) -> int:
    return int(sample.received_at.timestamp() * 1_000_000)


def _check_states(status: Status) -> object:
    """The part of a status whose change causes an event."""
    states, notices = [check.state for check in status.checks], [notice.fault for notice in status.notices]
    return status.source, status.meter_id, status.advice.fault, states, notices


def _output_state(output: OutputState) -> object:
    """The part of the state of an output whose change causes an event."""
    notices, clients = [notice.fault for notice in output.notices], {client.address for client in output.clients}
    return output.name, output.sentence, notices, clients


def _last_event_id(scope: Scope) -> int | None:
    """The value of the header, 0 if absent, None if invalid."""
    text = Headers(scope=scope).get("last-event-id", "")
    return whole_number(text, _MAX_ID) if text else 0


ENDPOINT = Endpoint(
    "/api/v1/live",
    "live",
    "Server-sent events: `reading` for every telegram, `status` when the result of a check changes.",
    {
        200: Result("data of a `reading` event; begins with the newest of every meter", LiveMeter, _MEDIA_TYPE),
        400: failure("Last-Event-ID is not the id of an event, or `brief` has another value than yes"),
        503: failure("the maximum number of streams is open"),
    },
    parameters=(
        Parameter("Last-Event-ID", "id of the newest event that the client has seen", {"type": "integer"}, "header"),
        Parameter(
            "brief",
            "yes: the answer ends with the next telegram, for a proxy that holds streams back",
            {"type": "string", "enum": ["yes"]},
        ),
    ),
)
