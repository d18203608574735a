"""What is on its way to the broker. While it keeps up, everything goes at once; else the newest of each topic waits.

So nothing is queued without bound, whatever the broker does: a window of messages, and one for each topic.
"""

import time
from asyncio import Future
from collections.abc import Callable

from msgspec import Struct

from iskra_server.diagnosis.output import Standing

WINDOW = 16


class Message(Struct, frozen=True):
    """Retained; the broker forgets it after `expire_s`, where it knows how (MQTT 5)."""

    topic: str
    payload: bytes
    expire_s: int | None = None


class Outbox:
    """`start` writes a message to the broker; its future is done when that is acknowledged."""

    def __init__(self, start: Callable[[Message], "Future[None]"], standing: Standing) -> None:
        self._start = start
        self._standing = standing
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
        acknowledged.add_done_callback(self._acknowledged)

    def _acknowledged(self, future: "Future[None]") -> None:
        del self._in_flight[future]
        if future.cancelled():
            return
        self._standing.delivered += 1
        if self._waiting:
            self._write(self._waiting.pop(next(iter(self._waiting))))
