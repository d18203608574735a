"""What an app of Home Assistant asks the Supervisor that runs it: for the MQTT broker, and to be discovered.

    GET  /services/mqtt    the broker that Home Assistant uses; 400 where there is none, and while the Supervisor starts
    POST /discovery        offers our integration to the user, with where this server is

Both need the token of the app only: `services: [mqtt:want]` and `discovery: [iskra_server]` in its config.yaml.
"""

import asyncio
import http.client
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from iskra_server.base.address import Address, host_in_url
from iskra_server.base.http_request import TIMEOUT_S, Answer, HttpRequest
from iskra_server.base.secret import Secret
from iskra_server.base.threads import in_daemon_thread

INTEGRATION = "iskra_server"
_ADDRESS = "http://supervisor"
_WHOLE_ANSWER_S = 2 * TIMEOUT_S
# in the message of an answer to any request, followed by a state such as setup
_NOT_READY = b"System is not ready"


class SupervisorError(Exception):
    """One sentence: what was asked, and what came instead of an answer."""


class MqttService(Struct, frozen=True):
    """The broker of Home Assistant; `username` is "" for one without."""

    host: str
    port: int
    ssl: bool = False
    username: str = ""
    password: Secret = Secret()

    @property
    def url(self) -> Address:
        """Without the password."""
        host = host_in_url(self.host)
        user = f"{quote(self.username, safe='')}@" if self.username else ""
        return Address(f"mqtt{'s' if self.ssl else ''}://{user}{host}:{self.port}")


class _MqttAnswer(Struct, frozen=True):
    data: MqttService


class Supervisor:
    """Every method raises SupervisorError."""

    def __init__(self, address: str, token: Secret) -> None:
        self._address = Address(address if "://" in address else f"http://{address}")
        # a line end would be an error of http.client that repeats the token
        self._headers = {"Authorization": f"Bearer {token.reveal().strip()}", "Content-Type": "application/json"}

    async def mqtt_service(self) -> MqttService | None:
        """None while Home Assistant has no broker."""
        path = "/services/mqtt"
        answer = await self._send(path)
        if answer.status == HTTPStatus.BAD_REQUEST and _NOT_READY not in answer.body:
            return None
        try:
            return msgspec.json.decode(self._body(path, answer), type=_MqttAnswer, dec_hook=_secret).data
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise SupervisorError(f"The Supervisor's answer to {path} is not understood.") from None

    async def announce(self, config: Mapping[str, Any]) -> None:
        """Offer our integration; `config` is what it is set up with."""
        path = "/discovery"
        body = msgspec.json.encode({"service": INTEGRATION, "config": config})
        self._body(path, await self._send(path, body))

    async def _send(self, path: str, body: bytes | None = None) -> Answer:
        request = None
        try:
            request = HttpRequest(self._address, path, headers=self._headers, body=body)
            # `send` waits as long for every part of the headers, and again for the body
            return await asyncio.wait_for(in_daemon_thread(request.send), _WHOLE_ANSWER_S)
        except (OSError, http.client.HTTPException, ValueError) as error:
            is_late = isinstance(error, TimeoutError)
            if is_late and request:
                request.abort()
            reason = f"it does not answer within {TIMEOUT_S:.0f} s" if is_late else error
            raise SupervisorError(f"The Supervisor at {self._address} cannot be asked for {path}: {reason}.") from None

    def _body(self, path: str, answer: Answer) -> bytes:
        if answer.status == HTTPStatus.OK:
            return answer.body
        fix = ", it is not ready" if _NOT_READY in answer.body else ""
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            fix = "; config.yaml of the app must name this service"
        raise SupervisorError(f"The Supervisor refuses {path}: {answer.status}{fix}.")


def supervisor_of(environ: Mapping[str, str]) -> Supervisor:
    """The one that runs this process. SUPERVISOR, as HOST, HOST:PORT or URL, is set by tests and developers only."""
    return Supervisor(environ.get("SUPERVISOR") or _ADDRESS, Secret(environ["SUPERVISOR_TOKEN"]))


def _secret(kind: type, value: object) -> object:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("not text")
