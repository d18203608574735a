"""GET /api/v1/live: server-sent events, one a telegram, straight from the hub to the socket.

    id: 1795255200123456            arrival in microseconds since 1970: it grows, also across restarts
    event: reading                  or `status`, when a check of a source changes
    data: {"id":"1 ISK 00 70347617", ...}

The JSON of a telegram is made once for all clients. A slow client loses its oldest events and holds up nobody.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec
from msgspec import structs
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from iskra_server.base.clock import boottime_s
from iskra_server.diagnosis.status import Status
from iskra_server.meter.reading import Sample
from iskra_server.outputs.state import OutputState
from iskra_server.reading.hub import Hub
from iskra_server.web.api.meters import Meter, show
from iskra_server.web.api.status import server_status
from iskra_server.web.http.headers import NO_STORE, SECURITY, SecurityHeaders, raw
from iskra_server.web.http.problem import problem
from iskra_server.web.http.question import whole_number
from iskra_server.web.http.share import Client, client_of, disconnected, heaviest

# half of the connections that may be open (connection.py): the other half is for those who ask and go
MAX_STREAMS = 128
# an id is 64 bits at most
_LAST_ID = 2**63 - 1
_PULSE_S = 1.0
# a telegram that arrives waits for so many sources at most
_JUDGED_AT_ONCE = 20
# proxies close what is silent for 30 s or 60 s
_HEARTBEAT_S = 15.0
_RETRY = b"retry: 2000\n\n"
_HEARTBEAT = b":\n\n"
_NOT_BUFFERED = {"x-accel-buffering": "no"}
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": raw({"content-type": "text/event-stream; charset=utf-8"}, NO_STORE, _NOT_BUFFERED, SECURITY),
}


class LiveMeter(Meter, frozen=True, kw_only=True):
    """A meter at the moment of a telegram; `measured_age_s` is the time since the telegram's last byte."""

    measured_age_s: float


class Live:
    """ASGI application. `close()` ends every stream, so that the server can stop."""

    def __init__(
        self,
        *,
        hub: Hub,
        statuses: Callable[[], Sequence[Status]],
        history_sentence: Callable[[], str] = str,
        outputs: Callable[[], Sequence[OutputState]] = tuple,
    ) -> None:
        self._hub = hub
        self._statuses = statuses
        self._history_sentence = history_sentence
        # of each meter the newest
        self._events: dict[str, tuple[Sample, bytes]] = {}
        self._known: Sequence[Status] = ()
        self._checks: Sequence[object] = ()
        self._judged_s = -_PULSE_S
        self._judging = asyncio.Lock()
        self._outputs = outputs
        self._closing = asyncio.Event()
        # the oldest first: whose each stream is
        self._streams: dict[asyncio.Event, Client] = {}

    def close(self) -> None:
        self._closing.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen = _last_event_id(scope)
        if seen is None:
            sentence = "Last-Event-ID must be the id of an event of this stream; leave it out to begin with the newest."
            await SecurityHeaders(problem(400, sentence, reason="misuse"))(scope, receive, send)
            return
        client = client_of(scope)
        if len(self._streams) >= MAX_STREAMS and not self._make_room(client):
            sentence = f"{MAX_STREAMS} live streams are open, which is the most; close one that you have."
            await SecurityHeaders(problem(503, sentence, reason="too_many_streams"))(scope, receive, send)
            return
        ended = asyncio.Event()
        self._streams[ended] = client
        try:
            await send(_START)
            if scope["method"] != "HEAD":
                await self._stream(seen, receive, send, ended)
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._streams.pop(ended, None)

    def _make_room(self, newcomer: Client) -> bool:
        """End the oldest stream of the client that has most; False where the newcomer would then have as many."""
        client = heaviest(self._streams.values(), newcomer)
        oldest = next((ended for ended, holder in self._streams.items() if holder == client), None)
        if client is None or oldest is None:
            return False
        oldest.set()
        del self._streams[oldest]
        return True

    async def _stream(self, seen: int, receive: Receive, send: Send, ended: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            readings = group.create_task(self._readings(seen, send), name="live readings")
            pulse = group.create_task(self._pulse(send), name="live pulse")
            gone = group.create_task(disconnected(receive), name="live disconnect")
            pushed_out = group.create_task(_wait(ended), name="live end")
            await asyncio.wait((pulse, gone, pushed_out), return_when=asyncio.FIRST_COMPLETED)
            for task in (readings, pulse, gone, pushed_out):
                task.cancel()

    async def _readings(self, seen: int, send: Send) -> None:
        with self._hub.subscribe("live") as samples:
            await send({"type": "http.response.body", "body": self._newest(seen), "more_body": True})
            async for sample in samples:
                await send({"type": "http.response.body", "body": self._event(sample), "more_body": True})

    def _newest(self, seen: int) -> bytes:
        """The newest event of every meter that is fresh, but for those that the client has seen."""
        now_s = boottime_s()
        fresh = (sample for meter_id, sample in self._hub.newest.items() if self._hub.is_fresh(meter_id, now_s))
        return _RETRY + b"".join(self._encode(sample) for sample in fresh if event_id(sample) > seen)

    def _event(self, sample: Sample) -> bytes:
        meter_id = sample.reading.meter_id
        newest = self._events.get(meter_id)
        if newest and newest[0] is sample:
            return newest[1]
        event = self._encode(sample)
        # a slow client asks for older ones
        if newest is None or newest[0].monotonic_s <= sample.monotonic_s:
            self._events[meter_id] = sample, event
        return event

    def _encode(self, sample: Sample) -> bytes:
        age_s = max(boottime_s() - sample.monotonic_s, 0.0)
        stale_after_s = self._hub.stale_after_s(sample.reading.meter_id)
        meter = show(sample, age_s=age_s, fresh=True, stale_after_s=stale_after_s)
        data = LiveMeter(**structs.asdict(meter), measured_age_s=meter.age_s or 0.0)
        return b"id: %d\nevent: reading\ndata: %b\n\n" % (event_id(sample), msgspec.json.encode(data))

    async def _pulse(self, send: Send) -> None:
        """Sends the status when a check changes; comments keep a silent stream alive. Ends at `close()`."""
        told: object = None
        silent_since_s = time.monotonic()
        while True:
            await self._judge()
            history, outputs = self._history_sentence(), self._outputs()
            body = b""
            if (shown := (self._checks, history, [output.sentence for output in outputs])) != told:
                status = msgspec.json.encode(server_status(self._known, history, outputs))
                told, body = shown, b"event: status\ndata: %b\n\n" % status
            elif time.monotonic() - silent_since_s >= _HEARTBEAT_S:
                silent_since_s, body = time.monotonic(), _HEARTBEAT
            if body:
                await send({"type": "http.response.body", "body": body, "more_body": True})
            if await self._closed_within(_PULSE_S):
                return

    async def _judge(self) -> None:
        """How every source stands, once for all clients; of a thousand that takes a while, and telegrams go on."""
        async with self._judging:
            if time.monotonic() - self._judged_s <= _PULSE_S / 2:
                return
            known: list[Status] = []
            for status in self._statuses():
                known.append(status)
                if not len(known) % _JUDGED_AT_ONCE:
                    await asyncio.sleep(0)
            checks = [_check_states(status) for status in known]
            self._known, self._judged_s = known, time.monotonic()
            # the same list as long as nothing changes, which is quickly compared
            self._checks = self._checks if checks == self._checks else checks

    async def _closed_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)
        return self._closing.is_set()


def event_id(sample: Sample) -> int:
    return int(sample.received_at.timestamp() * 1_000_000)


def _check_states(status: Status) -> object:
    """What must change for a status to be told again."""
    states, noticed = [check.state for check in status.checks], [notice.fault for notice in status.notices]
    return status.source, status.meter_id, status.advice.fault, states, noticed


def _last_event_id(scope: Scope) -> int | None:
    """0 where the client has seen none yet; None for what is no id."""
    text = Headers(scope=scope).get("last-event-id", "")
    return whole_number(text, _LAST_ID) if text else 0


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
