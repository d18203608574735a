"""A message to the broker, and the errors of a connection: each is a clause that says why."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

PUBLISHING, READING = "publishing to", "reading"


class Message(Struct, frozen=True):
    """The broker deletes a retained message after `expire_s`; an answer repeats `correlation` (MQTT 5 only)."""

    topic: str
    payload: bytes
    expire_s: int | None = None
    correlation: bytes = b""


class MqttError(Exception):
    """There is no connection, or it is lost."""

    advice = "See that the broker runs"


class WrongPassword(MqttError):
    """The broker refuses the user or the password."""

    advice = "See that user and password are right"


class Denied(MqttError):
    """The broker refuses one topic; the connection goes on. `action` is PUBLISHING or READING the topic."""

    def __init__(self, action: str, topic: str, reason: str) -> None:
        self.action = f"{action} {topic}"
        self.reason = reason
        super().__init__(f"the broker denies {self.action} ({reason}); allow it in its access rules (ACL)")


class ConnectionLost(MqttError):
    """The connection ended without a reason from the broker."""

    def __init__(self, reason: str = "the connection is lost") -> None:
        super().__init__(reason)


class NoAnswer(MqttError):
    """The broker accepted the TCP connection, or a message, and does not answer."""


class UnsupportedProtocol(MqttError):
    """The broker does not speak this version of MQTT; the next connection tries the other."""


class OldProtocolOnly(MqttError):
    """The broker speaks MQTT 3.1.1 alone, in which nobody can be answered."""

    advice = "Use a broker that speaks MQTT 5, such as Mosquitto"

    def __init__(self) -> None:
        super().__init__("it speaks no MQTT 5, so no answer can arrive")


class TakenOver(MqttError):
    """Another program connected with the same client id, so the broker ended this connection."""

    advice = "Give each program a client_id of its own"

    def __init__(self, client_id: str, *, is_sure: bool = True) -> None:
        verb = "uses" if is_sure else "seems to use"
        super().__init__(f"another program {verb} the client id {client_id} there")


def error_of(errors: "BaseExceptionGroup[BaseException]") -> BaseException:
    """Why the tasks of a session ended: they were cancelled, one has a bug, or the connection is lost."""
    if (task := asyncio.current_task()) and task.cancelling():
        # a task group in which a task fails during cancellation raises only that failure
        return asyncio.CancelledError()
    lost, bugs = errors.split(MqttError)
    while isinstance(lost, BaseExceptionGroup):
        lost = lost.exceptions[0]  # type: ignore[assignment]
    return bugs or lost or ConnectionLost()


@asynccontextmanager
async def answered_within(seconds: float) -> AsyncIterator[None]:
    """Raises NoAnswer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise NoAnswer(f"it does not answer within {seconds:.0f} s") from None
