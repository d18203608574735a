from contextlib import suppress
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK
from websockets.sync.server import ServerConnection, serve

from homeassistant.talking import Refused, running, talking
from iskra_server.homeassistant.core_api import CoreError, connected, websocket_url
from running import free_port

SOON_S = 60.0


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("http://homeassistant.local:8123", "ws://homeassistant.local:8123/api/websocket"),
        ("https://home.example.org/", "wss://home.example.org/api/websocket"),
        ("https://home.example.org/inside", "wss://home.example.org/inside/api/websocket"),
        ("ws://supervisor/core/websocket", "ws://supervisor/core/websocket"),
        ("http://[fd00::1]:8123/api/websocket", "ws://[fd00::1]:8123/api/websocket"),
    ],
)
def test_the_address_of_the_page_is_enough(given: str, address: str) -> None:
    assert websocket_url(given) == address


@pytest.mark.parametrize("given", ["homeassistant.local:8123", "ftp://host", "http://", "http://me:secret@host"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="is not the address of Home Assistant"):
        websocket_url(given)


def test_numbers_arrive_with_every_digit() -> None:
    def answer(asked: dict[str, Any]) -> Any:
        return running(asked) if asked["type"] == "get_config" else {"sum": 0.1000000000003638, "asked": asked["what"]}

    with talking(answer) as url, connected(websocket_url(url), "token") as core:
        assert core.version == "2026.2.3"
        assert core.ask("any", what=7) == {"sum": Decimal("0.1000000000003638"), "asked": 7}


def test_an_error_of_the_block_is_no_failure_of_home_assistant() -> None:
    for error in (FileNotFoundError(2, "no such file", "undo.json"), ValueError("of the caller")):
        with talking(running) as url, pytest.raises(type(error)), connected(websocket_url(url), "token"):
            raise error


def failure(url: str) -> str:
    with pytest.raises(CoreError) as raised, connected(websocket_url(url), "token") as core:
        core.ask("recorder/list_statistic_ids")
    sentence = str(raised.value)
    assert sentence.endswith(".")
    assert "token" not in sentence.replace("the token", "").replace("The token", "").replace("access tokens", "")
    return sentence


def test_a_wrong_token_is_one_sentence() -> None:
    with talking(running, is_allowed=False) as url:
        assert "refuses the token" in failure(url)


def test_home_assistant_that_is_starting_is_one_sentence() -> None:
    with talking(lambda _: {"state": "STARTING"}) as url:
        assert "is not running yet (STARTING)" in failure(url)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("unauthorized", "no administrator"),
        ("unknown_command", "its recorder is off, or still starting"),
        ("home_assistant_error", "refuses recorder/list_statistic_ids: Invalid timestamp."),
    ],
)
def test_a_command_that_is_refused_is_one_sentence(code: str, sentence: str) -> None:
    def answer(asked: dict[str, Any]) -> Any:
        if asked["type"] == "get_config":
            return running(asked)
        raise Refused(code, "Invalid timestamp")

    with talking(answer) as url:
        assert sentence in failure(url)


def test_nobody_there_is_one_sentence() -> None:
    assert "cannot be reached" in failure(f"http://127.0.0.1:{free_port()}")
    assert "cannot be reached" in failure("http://no-such-host.invalid:8123")


@pytest.mark.parametrize("greeting", ['{"type": "hello"}', "[]", "no JSON", "[" * 100_000, '{"type": NaN}'])
def test_another_program_is_not_given_the_token(greeting: str) -> None:
    received: list[object] = []

    def handle(socket: ServerConnection) -> None:
        socket.send(greeting)
        with suppress(ConnectionClosed):
            received.append(socket.recv(SOON_S))

    with serve(handle, "127.0.0.1", 0) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            assert "is not Home Assistant" in failure(f"http://127.0.0.1:{server.socket.getsockname()[1]}")
        finally:
            server.shutdown()
            thread.join()
    assert received == []


def test_a_connection_that_breaks_in_the_middle_is_one_sentence() -> None:
    def answer(asked: dict[str, Any]) -> Any:
        if asked["type"] == "get_config":
            return running(asked)
        raise ConnectionClosedOK(None, None)

    with talking(answer) as url:
        assert "has closed the connection" in failure(url)
