"""The least an answer can cost: one constant, by a bare ASGI function under the server's own uvicorn settings."""

import asyncio

from starlette.types import Receive, Scope, Send

from iskra_server.runtime.http_server import Http, listen, loop_factory

BODY = b'{"time":"2026-11-22T10:00:00.123Z","type":0,"unit":"kWh","value":12345.6789}'
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))],
}


async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send(START)
    await send({"type": "http.response.body", "body": BODY})


def serve(port: int) -> None:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(port))


async def _serve(port: int) -> None:
    await Http(app, listen("127.0.0.1", port)).run_until_stopped()
