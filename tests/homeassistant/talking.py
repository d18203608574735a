"""Home Assistant's WebSocket that says what it is told: errors that the real one has only for moments."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

Answers = Callable[[dict[str, Any]], Any]


class Refused(Exception):
    """Its arguments are the code and the message of the answer."""


@contextmanager
def talking(answer: Answers, *, version: str = "2026.2.3", is_allowed: bool = True) -> Iterator[str]:
    """Its URL; `answer` gives the result of a command, or raises Refused."""

    def handle(socket: ServerConnection) -> None:
        try:
            socket.send(json.dumps({"type": "auth_required", "ha_version": version}))
            socket.recv()
            socket.send(json.dumps({"type": "auth_ok" if is_allowed else "auth_invalid", "ha_version": version}))
            for message in socket:
                asked = json.loads(message)
                told: dict[str, Any] = {"id": asked["id"], "type": "result"}
                try:
                    told |= {"success": True, "result": answer(asked)}
                except Refused as refused:
                    told |= {"success": False, "error": dict(zip(("code", "message"), refused.args, strict=True))}
                socket.send(json.dumps(told))
        except ConnectionClosed:
            pass

    with serve(handle, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


def running(asked: dict[str, Any]) -> Any:
    """One that is running and has nothing."""
    return {"get_config": {"state": "RUNNING"}, "recorder/statistics_during_period": {}}.get(asked["type"], [])
