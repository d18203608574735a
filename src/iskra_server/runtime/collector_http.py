"""The HTTP listener of a collector: /metrics and /healthz, answered by a thread beside the one that writes.

It is off by default, and only then imported. Access control is that of a server: host names, and the token if there is
one.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from iskra_server.fleet.central.collector_state import CollectorState
from iskra_server.runtime.http_server import Http
from iskra_server.web.api.health import Health
from iskra_server.web.http.gate import Gate
from iskra_server.web.http.problem import HANDLERS, problem
from iskra_server.web.http.responses import NO_STORE, json_response, secured
from iskra_server.web.metrics.exposition import Family, Metric, Series, families, media_type, write
from iskra_server.web.metrics.process import process_families

ReadState = Callable[[], CollectorState]
_STOP_S = 5.0
COLLECTOR: tuple[Metric[CollectorState], ...] = (
    Metric("broker_up", "gauge", "1 while it receives from the broker.", lambda state: state.is_connected),
    Metric("database_up", "gauge", "0 while the database is away.", lambda state: state.database_away_since_s is None),
    Metric("conflicts", "counter", "Values that differ from those kept.", lambda state: state.conflicts),
    Metric("live_values", "counter", "Live values stored.", lambda state: state.live),
    Metric("dropped_live_values", "counter", "Live values that were not stored.", lambda state: state.live_dropped),
    Metric("waiting_messages", "gauge", "Messages received and not committed.", lambda state: state.waiting),
    Metric(
        "oldest_message_age_seconds",
        "gauge",
        "Age of the oldest message that is not committed.",
        lambda state: round(state.lag_s, 3),
        "seconds",
    ),
    Metric("batches", "counter", "Transactions committed.", lambda state: state.batches),
    Metric(
        "lag_seconds",
        "counter",
        "Time from the arrival of the oldest message of a batch to its commit, summed over the batches.",
        lambda state: round(state.lag_sum_s, 3),
        "seconds",
    ),
    Metric(
        "last_write_timestamp_seconds",
        "gauge",
        "Time of the last commit, in Unix time.",
        lambda state: None if state.last_written_s is None else round(state.last_written_s, 3),
        "seconds",
    ),
)


def collector_families(state: CollectorState, version: str) -> Iterator[Family]:
    yield Family("iskra_collector_info", "gauge", "Version of this collector.", [Series(1, {"version": version})])
    answers = {"kept": state.kept, "waits": state.waits, "refused": state.refused}
    series = [Series(count, {"answer": answer}) for answer, count in answers.items()]
    yield Family("iskra_collector_messages", "counter", "Messages of readers, by the answer to them.", series)
    yield from families("iskra_collector", COLLECTOR, [state], lambda _: {})
    yield from process_families()


def collector_app(state: ReadState, gate: Gate, version: str) -> ASGIApp:
    async def metrics(request: Request) -> Response:
        form = media_type(request.headers.get("accept", ""))
        body = write(collector_families(state(), version), form)
        return Response(body, headers={**NO_STORE, "vary": "accept", "content-type": form})

    async def health(_request: Request) -> Response:
        sentence = state().sentence
        return problem(503, sentence, reason="not_collecting") if sentence else json_response(Health())

    routed = Starlette(routes=[Route("/metrics", metrics), Route("/healthz", health)], exception_handlers=HANDLERS)
    answering = secured(routed)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        refusal = gate(scope)
        await (secured(refusal) if refusal else answering)(scope, receive, send)

    return app


@contextmanager
def answering(app: ASGIApp, listening: Sequence[socket.socket]) -> Iterator[None]:
    """Answers at these sockets in a thread of its own, until the end of the block."""
    running: list[tuple[asyncio.AbstractEventLoop, Http]] = []
    started = threading.Event()

    async def run() -> None:
        http = Http(app, listening)
        running.append((asyncio.get_running_loop(), http))
        started.set()
        await http.run_until_stopped()

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="http", daemon=True)
    thread.start()
    started.wait(_STOP_S)
    try:
        yield
    finally:
        for loop, http in running:
            loop.call_soon_threadsafe(http.stop)
        thread.join(_STOP_S)
