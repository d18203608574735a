"""Messages on their way to the broker. While it keeps up, each is sent at once; else the newest of each topic waits.

So memory is bounded whatever the broker does: a window of unacknowledged messages, and one message for each topic.
"""

import time
from asyncio import Future
from collections.abc import Callable
from functools import partial

from iskra_server.mqtt.message import PUBLISHING, Denied, Message
from iskra_server.outputs.state import OutputHealth

WINDOW = 16


class PublishQueue:
    """`publish` sends a message; its future is done when the broker acknowledges it, and raises Denied."""

    def __init__(
        self, publish: Callable[[Message], "Future[None]"], health: OutputHealth, on_denied: Callable[[Denied], None]
    ) -> None:
        self._publish = publish
        self._health = health
        self._on_denied = on_denied
        self._waiting: dict[str, Message] = {}
        # -> when it was sent, the oldest first
        self._unacknowledged: dict[Future[None], float] = {}

    def put(self, message: Message) -> None:
        if len(self._unacknowledged) < WINDOW:
            self._send(message)
        else:
            # a newer message keeps the place of the older one: messages behind it may rely on it
            self._waiting[message.topic] = message

    def oldest_age_s(self) -> float:
        """How long the oldest message has been unacknowledged."""
        oldest = next(iter(self._unacknowledged.values()), None)
        return 0.0 if oldest is None else time.monotonic() - oldest

    def _send(self, message: Message) -> None:
        acknowledgement = self._publish(message)
        self._unacknowledged[acknowledgement] = time.monotonic()
        acknowledgement.add_done_callback(partial(self._on_acknowledged, message.topic))

    def _on_acknowledged(self, topic: str, acknowledgement: "Future[None]") -> None:
        del self._unacknowledged[acknowledgement]
        if acknowledgement.cancelled():
            return
        error = acknowledgement.exception()
        if error is None:
            self._health.delivered += 1
            self._health.allowed(f"{PUBLISHING} {topic}")
        elif isinstance(error, Denied):
            self._health.refused += 1
            self._on_denied(error)
        else:
            # the connection is lost: the task that reads from it reports that
            return
        if self._waiting:
            self._send(self._waiting.pop(next(iter(self._waiting))))
