"""A message to the broker, and the errors of a connection: each is a clause that says why, in both languages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from iskra_server.base.language import Bilingual, BilingualError

PUBLISHING, READING = "publishing to", "reading"
_FORBIDDEN = {PUBLISHING: "das Schreiben auf", READING: "das Lesen von"}


class Message(Struct, frozen=True):
    """The broker deletes a retained message after `expire_s`; an answer repeats `correlation` (MQTT 5 only)."""

    topic: str
    payload: bytes
    expire_s: int | None = None
    correlation: bytes = b""


class MqttError(BilingualError):
    """There is no connection, or it is lost. `advice` is a sentence without its full stop."""

    advice: Bilingual = ("See that the broker runs", "Prüfen Sie, ob der Broker läuft")


class WrongPassword(MqttError):
    """The broker refuses the user or the password."""

    advice = ("See that user and password are right", "Prüfen Sie Benutzer und Passwort")


class Denied(MqttError):
    """The broker refuses one topic; the connection goes on. `action` is PUBLISHING or READING the topic."""

    def __init__(self, action: str, topic: str, reason: str) -> None:
        self.action = f"{action} {topic}"
        self.reason = reason
        forbidden = _FORBIDDEN.get(action, "das Schreiben oder Lesen von")
        super().__init__(
            (
                f"the broker denies {self.action} ({reason}); allow it in its access rules (ACL)",
                f"der Broker verweigert {forbidden} {topic} ({reason}); erlauben Sie es in seinen Zugriffsregeln (ACL)",
            )
        )


class ConnectionLost(MqttError):
    """The connection ended without a reason from the broker."""

    def __init__(self, reason: str | Bilingual = ("the connection is lost", "die Verbindung ist abgebrochen")) -> None:
        super().__init__(reason)


class NoAnswer(MqttError):
    """The broker accepted the TCP connection, or a message, and does not answer within `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            (f"it does not answer within {seconds:.0f} s", f"er antwortet nicht innerhalb von {seconds:.0f} s")
        )


class UnsupportedProtocol(MqttError):
    """The broker does not speak this version of MQTT; the next connection tries the other."""


class OldProtocolOnly(MqttError):
    """The broker speaks MQTT 3.1.1 alone, in which nobody can be answered."""

    advice = (
        "Use a broker that speaks MQTT 5, such as Mosquitto",
        "Verwenden Sie einen Broker, der MQTT 5 spricht, etwa Mosquitto",
    )

    def __init__(self) -> None:
        super().__init__(
            ("it speaks no MQTT 5, so no answer can arrive", "er spricht kein MQTT 5, also kann keine Antwort ankommen")
        )


class TakenOver(MqttError):
    """Another program connected with the same client id, so the broker ended this connection."""

    advice = ("Give each program a client_id of its own", "Geben Sie jedem Programm eine eigene client_id")

    def __init__(self, client_id: str, *, is_sure: bool = True) -> None:
        verb = "uses" if is_sure else "seems to use"
        seems = "verwendet" if is_sure else "verwendet anscheinend"
        super().__init__(
            (
                f"another program {verb} the client id {client_id} there",
                f"ein anderes Programm {seems} dort die Client-ID {client_id}",
            )
        )


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
        raise NoAnswer(seconds) from None
