"""A Shelly of the second or third generation by HTTP and WebSocket, as batteries, evcc and Home Assistant ask it.

    GET  /shelly                   what it is
    GET  /rpc/EM.GetStatus?id=0    the bare result; POST with the parameters, or a frame, as JSON
    POST /rpc                      frames
    GET  /rpc                      WebSocket: frames both ways, NotifyStatus with each telegram

Errors have the form of the device, {"code":404,"message":"No handler for X"}, with status 404, 503 while there is no
current reading, otherwise 500. Like the device it closes the connection behind an answer, except where the client asks
to keep it: Jackery and Growatt do.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
from msgspec import Raw

from iskra_server.base.announcement import AnnouncedService
from iskra_server.base.clock import boottime_s
from iskra_server.outputs.emulation.clients import Clients
from iskra_server.outputs.emulation.grid import GridReading
from iskra_server.outputs.emulation.http_listener import JSON_TYPE, DeviceAnswer, DeviceRequest, HttpDevice
from iskra_server.outputs.emulation.shelly_identity import VERSION, Identify, ShellyIdentity, ShellyModel
from iskra_server.outputs.emulation.shelly_methods import (
    Methods,
    Need,
    Params,
    ShellyMoment,
    counted_status,
    device_info,
    measured_status,
)
from iskra_server.outputs.emulation.shelly_rpc import (
    NO_CURRENT_READING,
    NO_HANDLER,
    NO_READING,
    NOT_A_FRAME,
    RpcError,
    RpcRequest,
    answered,
    notified,
    parsed,
)
from iskra_server.outputs.emulation.websocket import WebSocket

HEADERS = (("Server", "ShellyHTTP/1.0.0"), JSON_TYPE)
SERVICES = ("_shelly._tcp", "_http._tcp")
# frames of one WebSocket that are answered at the same time: some wait for a telegram
MAX_WAITING = 16
# without a telegram for so long, it looks again
NOTIFY_WAIT_S = 600.0
COUNTERS_EVERY_S = 60.0
_INFO, _RPC = "/shelly", "/rpc"
_STATUSES = {NO_HANDLER: 404, NO_READING: 503}


class ShellyHttp(HttpDevice):
    """`has_upper_name`: it is announced in upper case, as Solakon looks for it."""

    def __init__(
        self, name: str, clients: Clients, model: ShellyModel, identify: Identify, *, has_upper_name: bool = False
    ) -> None:
        super().__init__(name, clients)
        self._identify = identify
        self._methods = Methods(model.component)
        self._has_upper_name = has_upper_name
        self._started_s = boottime_s()

    def knows(self, path: str) -> bool:
        return path in (_INFO, _RPC) or path.startswith(f"{_RPC}/")

    async def answer(self, request: DeviceRequest) -> DeviceAnswer:
        close = "keep-alive" not in request.headers.get("connection", "").lower()
        if request.method not in ("GET", "POST"):
            return DeviceAnswer(405, headers=(HEADERS[0], ("Allow", "GET, POST")), close=close)
        status, body = await self._answered(request)
        return DeviceAnswer(status, body, HEADERS, close)

    async def _answered(self, request: DeviceRequest) -> tuple[int, bytes]:
        """Status and body."""
        shelly = self._identify()
        if shelly is None:
            outcome: object = NO_CURRENT_READING
        elif request.path == _INFO:
            outcome = device_info(shelly)
        elif request.path == _RPC and request.method == "POST":
            if frame := parsed(request.body):
                outcome = await self._outcome(shelly, frame.method, frame.params or {}, request.client)
                # an error within a frame is an answer; without a reading a client shall not look at it either
                return 503 if outcome is NO_CURRENT_READING else 200, answered(shelly.id, frame, outcome)
            outcome = NOT_A_FRAME
        elif (params := _params(request)) is None:
            outcome = NOT_A_FRAME
        else:
            method = request.path.removeprefix(_RPC).removeprefix("/")
            outcome = await self._outcome(shelly, method, params, request.client)
        status = _STATUSES.get(outcome.code, 500) if isinstance(outcome, RpcError) else 200
        return status, msgspec.json.encode(outcome)

    async def _outcome(self, shelly: ShellyIdentity, method: str, params: Params, client: str) -> object:
        """The result or the error of one call."""
        need = self._methods.need(method)
        reading: GridReading | None = None
        if need is Need.POWER:
            reading = await self.clients.reading_for(client)
        elif need is Need.COUNTERS:
            reading = self.clients.newest_reading_for(client)
        return self._methods.result(method, params, self._moment(shelly, reading))

    def has_websocket(self, path: str) -> bool:
        """Not before the meter is known: a frame must have the id of the device. It is answered by HTTP, with 503."""
        return path == _RPC and self._identify() is not None

    async def serve_websocket(self, socket: WebSocket) -> None:
        free = asyncio.Semaphore(MAX_WAITING)
        waiting: set[asyncio.Task[None]] = set()
        has_name = False
        try:
            async with asyncio.TaskGroup() as tasks:
                while (data := await socket.receive()) is not None:
                    request = parsed(data)
                    if request is None or not self.clients.may_ask(socket.client):
                        continue
                    await free.acquire()
                    replying = tasks.create_task(self._reply(socket, request))
                    replying.add_done_callback(lambda _: free.release())
                    parts = [replying]
                    if request.client and not has_name:
                        has_name = True
                        parts.append(tasks.create_task(self._notify(socket, request.client)))
                    for part in parts:
                        waiting.add(part)
                        part.add_done_callback(waiting.discard)
                for part in waiting:
                    part.cancel()
        except* (OSError, TimeoutError):
            # it has gone, or does not read
            pass

    async def _reply(self, socket: WebSocket, request: RpcRequest) -> None:
        if shelly := self._identify():
            outcome = await self._outcome(shelly, request.method, request.params or {}, socket.client)
            await socket.send(answered(shelly.id, request, outcome))

    async def _notify(self, socket: WebSocket, client: Raw) -> None:
        """Each further telegram, until it is cancelled; nothing while there is no current reading.

        The counters follow once a minute, as the device sends them: Home Assistant never asks for them again.
        """
        grid = self.clients.grid
        reading = grid.newest()
        arrived_s = counted_s = reading.arrived_s if reading else float("-inf")
        while True:
            await grid.newer(arrived_s, NOTIFY_WAIT_S)
            newest = grid.newest()
            if newest is None or newest.arrived_s <= arrived_s:
                continue
            arrived_s = newest.arrived_s
            shelly, reading = self._identify(), self.clients.newest_reading_for(socket.client)
            if shelly is None or reading is None:
                continue
            moment = self._moment(shelly, reading)
            statuses = [measured_status(moment)]
            if arrived_s >= counted_s + COUNTERS_EVERY_S:
                counted_s = arrived_s
                statuses.append(counted_status(moment))
            for status in statuses:
                params = {"ts": Raw(f"{moment.now.timestamp():.2f}".encode()), **status}
                await socket.send(notified(shelly.id, client, params))
            await asyncio.sleep(self.clients.rules.min_interval_s)

    def services(self, _addresses: tuple[str, ...], port: int) -> Iterable[AnnouncedService]:
        if shelly := self._identify():
            name = shelly.upper_id if self._has_upper_name else shelly.id
            generation = {"gen": str(shelly.model.generation)}
            all_text = generation | {"app": shelly.model.app, "ver": VERSION}
            for service, text in zip(SERVICES, (all_text, generation), strict=True):
                yield AnnouncedService(service, name, port, text, name)

    def _moment(self, shelly: ShellyIdentity, reading: GridReading | None) -> ShellyMoment:
        return ShellyMoment(shelly, reading, datetime.now(UTC), boottime_s() - self._started_s)


def _params(request: DeviceRequest) -> Params | None:
    """Those of the query and of the body, which may also be a frame; None where the body is something else."""
    if not request.body.strip():
        return request.query
    try:
        body = msgspec.json.decode(request.body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    params = body.get("params")
    return request.query | (params if isinstance(params, dict) else body)
