"""What an app asks the Supervisor, at the stand-in for it. tests/runtime/test_home_assistant_app.py runs the server."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from iskra_server.base.secret import Secret
from iskra_server.homeassistant.supervisor import MqttService, Supervisor, SupervisorError, supervisor_of
from running import free_port
from supervisor import SupervisorStandIn, supervisor

T = TypeVar("T")


def asking(ask: Callable[[Supervisor], Awaitable[T]], **known: Any) -> tuple[T, SupervisorStandIn]:
    """The answer to one request of an app, from a stand-in that knows something."""

    async def main() -> tuple[T, SupervisorStandIn]:
        with supervisor() as box:
            for name, value in known.items():
                setattr(box, name, value)
            return await ask(supervisor_of(box.environ)), box

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("service", "url", "user"),
    [
        ({"host": "core-mosquitto", "port": 1883}, "mqtt://core-mosquitto:1883", ""),
        (
            {"host": "pi.local", "port": 8883, "ssl": True, "username": "a b@c"},
            "mqtts://a%20b%40c@pi.local:8883",
            "a b@c",
        ),
        ({"host": "fd00::1", "port": 1883, "username": "addons"}, "mqtt://addons@[fd00::1]:1883", "addons"),
    ],
)
def test_the_broker_is_an_address_with_a_password_beside_it(service: dict[str, Any], url: str, user: str) -> None:
    mqtt = {**service, "password": "secret-1", "protocol": "3.1.1", "addon": "core_mosquitto"}
    found, _ = asking(Supervisor.mqtt_service, mqtt=mqtt)
    assert found
    assert (found.url.reveal(), found.url.user, found.url.host) == (url, user, service["host"])
    assert found.password == Secret("secret-1") and "secret-1" not in f"{found} {found.url}"


def test_no_broker_is_no_failure() -> None:
    assert asking(Supervisor.mqtt_service)[0] is None


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        ({"services": set()}, r"refuses /services/mqtt: 403; config\.yaml of the app must name this service\.$"),
        ({"mqtt": {"host": "pi"}}, "answer to /services/mqtt is not understood"),
        ({"mqtt": {"host": "pi", "port": 1883, "password": 7}}, "answer to /services/mqtt is not understood"),
    ],
)
def test_an_answer_that_is_of_no_use_is_one_sentence(known: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SupervisorError, match=sentence):
        asking(Supervisor.mqtt_service, **known)


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_a_supervisor_that_is_away_is_one_sentence(scheme: str) -> None:
    port = free_port()
    with pytest.raises(SupervisorError, match=rf"^The Supervisor at http://127.0.0.1:{port} cannot be asked for"):
        asyncio.run(Supervisor(f"{scheme}127.0.0.1:{port}", Secret("token-of-the-app")).mqtt_service())


def test_without_a_token_that_it_knows_the_supervisor_refuses() -> None:
    async def main() -> None:
        with supervisor() as box:
            await Supervisor(box.environ["SUPERVISOR"], Secret("another")).mqtt_service()

    with pytest.raises(SupervisorError, match="refuses /services/mqtt: 401"):
        asyncio.run(main())


def test_the_integration_is_offered_under_its_name() -> None:
    config = {"host": "iskra", "port": 8080, "token": "0123456789abcdef"}
    _, box = asking(lambda asked: asked.announce(config))
    assert [(message["service"], message["config"]) for message in box.discovery] == [("iskra_server", config)]


def test_equal_settings_are_equal() -> None:
    """So that nothing is started again."""
    assert MqttService("pi", 1883, password=Secret("a")) == MqttService("pi", 1883, password=Secret("a"))
    assert MqttService("pi", 1883, password=Secret("a")) != MqttService("pi", 1883, password=Secret("b"))
