"""Home Assistant's WebSocket: commands and their results, one after another. Numbers arrive exact.

Like every client it needs a long-lived token of an administrator. The Supervisor's token is no way in: the app does not
ask for `homeassistant_api`, which would open all of Home Assistant to it.
"""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect

_PATH = "/api/websocket"
_OPEN_S = 10.0
# years of hours take some seconds on a small computer
_ANSWER_S = 120.0


class CoreError(Exception):
    """A sentence: why Home Assistant cannot be used. `code` is its own word for a command that it refused."""

    def __init__(self, sentence: str, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code


class CoreApi:
    """An open connection; `version` is that of Home Assistant."""

    def __init__(self, socket: ClientConnection, url: str) -> None:
        self._socket = socket
        self._url = url
        self._id = 0
        self.version = ""

    def log_in(self, token: str) -> None:
        if self._receive()["type"] != "auth_required":
            # nobody else is given the token
            raise CoreError(_no_home_assistant(self._url))
        answer = self._exchange({"type": "auth", "access_token": token})
        if answer["type"] != "auth_ok":
            raise CoreError(
                f"Home Assistant at {self._url} refuses the token; make a new one in your profile there, under "
                "Security, Long-lived access tokens."
            )
        self.version = answer.get("ha_version", "")
        state = self.ask("get_config").get("state")
        if state != "RUNNING":
            raise CoreError(f"Home Assistant at {self._url} is not running yet ({state}); try again in a minute.")

    def ask(self, command: str, **content: Any) -> Any:
        """The result of a command; Decimal where it has a point. Raises CoreError."""
        self._id += 1
        answer = self._exchange({"id": self._id, "type": command, **content})
        if answer.get("success"):
            return answer.get("result")
        error = answer.get("error") or {}
        raise CoreError(_refused(command, error.get("code", ""), error.get("message", "")), error.get("code", ""))

    def _exchange(self, message: Mapping[str, Any]) -> dict[str, Any]:
        with _as_core_error(self._url):
            self._socket.send(json.dumps(message))
        return self._receive()

    def _receive(self) -> dict[str, Any]:
        with _as_core_error(self._url):
            answer = json.loads(self._socket.recv(_ANSWER_S), parse_float=Decimal)
        if not isinstance(answer, dict) or "type" not in answer:
            raise CoreError(_no_home_assistant(self._url))
        return answer


def websocket_url(url: str) -> str:
    """The address of the WebSocket of Home Assistant at `url`, its page or the WebSocket itself. Raises ValueError."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(parts.scheme)
    if scheme is None or not parts.hostname or parts.query or parts.username:
        raise ValueError(f"'{url}' is not the address of Home Assistant; write it like http://homeassistant.local:8123")
    path = parts.path.rstrip("/")
    return f"{scheme}://{parts.netloc}{path if path.endswith('/websocket') else path + _PATH}"


@contextmanager
def connected(url: str, token: str, ca_file: str = "") -> Iterator[CoreApi]:
    """Logged in at the WebSocket `url`. A connection that fails, also later in the block, is a CoreError."""
    with _as_core_error(url):
        context = ssl.create_default_context(cafile=ca_file or None) if url.startswith("wss:") else None
        # it is in this network: no proxy
        socket = connect(url, ssl=context, open_timeout=_OPEN_S, max_size=None, proxy=None)
    # errors of the block are its own: a full disk is no connection that fails
    with socket:
        api = CoreApi(socket, url)
        api.log_in(token)
        yield api


@contextmanager
def _as_core_error(url: str) -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise CoreError(
            f"The certificate of {url} is not trusted ({error.verify_message}); give the authority that signed it with "
            "--ca-file."
        ) from None
    except (InvalidHandshake, InvalidURI, ValueError, RecursionError) as error:
        raise CoreError(f"What answers at {url} is not Home Assistant's WebSocket: {error}.") from None
    except TimeoutError:
        raise CoreError(f"Home Assistant at {url} does not answer in time.") from None
    except OSError as error:
        raise CoreError(f"Home Assistant at {url} cannot be reached: {error.strerror or error}.") from None
    except WebSocketException as error:
        raise CoreError(f"Home Assistant at {url} has closed the connection: {error}.") from None


def _no_home_assistant(url: str) -> str:
    return f"What answers at {url} is not Home Assistant."


def _refused(command: str, code: str, message: str) -> str:
    if code == "unauthorized":
        return "The token belongs to a user who is no administrator of Home Assistant; make one as an administrator."
    if code == "unknown_command":
        return f"Home Assistant does not know {command}: its recorder is off, or still starting; try again in a minute."
    return f"Home Assistant refuses {command}: {message or code}."
