from decimal import Decimal
from typing import Any

import pytest

from homeassistant.talking import Refused, running, talking
from iskra_server.homeassistant.core_api import CoreError, connected, websocket_url
from running import free_port


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
