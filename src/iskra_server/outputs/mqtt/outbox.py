"""What is on its way to the broker. While it keeps up, everything goes at once; else the newest of each topic waits.

So nothing is queued without bound, whatever the broker does: a window of messages, and one for each topic.
"""

import time
from asyncio import Future
from collections.abc import Callable
from functools import partial

from msgspec import Struct

from iskra_server.outputs.state import OutputHealth

WINDOW = 16


class MqttError(Exception):
    """The connection cannot be had, or is lost: a clause that says why."""

    advice = "See that the broker runs"


PUBLISHING, READING = "publishing to", "reading"


class Denied(MqttError):
    """The broker refuses one topic; the connection goes on. `what` is PUBLISHING or READING it."""

    def __init__(self, action: str, topic: str, reason: str) -> None:
        self.what = f"{action} {topic}"
        super().__init__(f"the broker denies {self.what} ({reason}); allow it in its access rules (ACL)")


class Message(Struct, frozen=True):
    """Retained; the broker forgets it after `expire_s`, where it knows how (MQTT 5)."""

    topic: str
    payload: bytes
    expire_s: int | None = None


class Outbox:
    """`start` writes a message to the broker; its future is done when that is acknowledged, or `denied`."""

    def __init__(
        self, start: Callable[[Message], "Future[None]"], standing: OutputHealth, denied: Callable[[Denied], None]
    ) -> None:
        self._start = start
        self._standing = standing
        self._denied = denied
        self._waiting: dict[str, Message] = {}
        # when each was written, the oldest first
        self._in_flight: dict[Future[None], float] = {}

    def put(self, message: Message) -> None:
        if len(self._in_flight) < WINDOW:
            self._write(message)
        else:
            # it takes the place of an older one: what waits behind that may rely on it
            self._waiting[message.topic] = message

    def waits_s(self) -> float:
        """How long the oldest message has not been acknowledged."""
        oldest = next(iter(self._in_flight.values()), None)
        return 0.0 if oldest is None else time.monotonic() - oldest

    def _write(self, message: Message) -> None:
        acknowledged = self._start(message)
        self._in_flight[acknowledged] = time.monotonic()
        acknowledged.add_done_callback(partial(self._acknowledged, message.topic))

    def _acknowledged(self, topic: str, future: "Future[None]") -> None:
        del self._in_flight[future]
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            self._standing.delivered += 1
            self._standing.allowed(f"{PUBLISHING} {topic}")
        elif isinstance(error, Denied):
            self._standing.refused += 1
            self._denied(error)
        else:
            # the connection is lost: whoever reads says so
            return
        if self._waiting:
            self._write(self._waiting.pop(next(iter(self._waiting))))
