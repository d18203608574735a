"""What an app asks the Supervisor, at the stand-in for it. tests/runtime/test_home_assistant_app.py runs the server."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import pytest

from iskra_server.base.secret import Secret
from iskra_server.homeassistant.supervisor import MqttService, Supervisor, SupervisorError, supervisor_of
from running import DEADLINE_S, free_port
from supervisor import SupervisorStandIn, Target, supervisor

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


@pytest.mark.parametrize("address", ["http://[bad", "a:99999", "http://a:b:c", "ftp://no-such.invalid", "\0", " "])
@pytest.mark.parametrize("token", ["token-of-the-app", "token-of-the-app\n", "token-\u2028of-the-app"])
def test_a_variable_that_is_of_no_use_is_one_sentence_without_the_token(address: str, token: str) -> None:
    asked = supervisor_of({"SUPERVISOR": address, "SUPERVISOR_TOKEN": token})
    with pytest.raises(SupervisorError, match="cannot be asked for") as raised:
        asyncio.run(asked.mqtt_service())
    assert "of-the-app" not in str(raised.value)


def test_an_answer_that_never_ends_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                writer.write(b"X: y\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)
        ended.set()

    async def main() -> None:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(SupervisorError, match="does not answer within"):
            await Supervisor(address, Secret("token-of-the-app")).mqtt_service()
        # and its thread has let go
        assert await asyncio.to_thread(ended.wait, DEADLINE_S)
        server.close()

    monkeypatch.setattr("iskra_server.homeassistant.supervisor._WHOLE_ANSWER_S", 0.5)
    asyncio.run(main())


@pytest.mark.parametrize("body", [b"", b"[]", b'{"a":' * 20_000, b'{"data":{"a":' + b"[" * 60_000, b"x" * 200_000])
def test_an_answer_in_another_form_is_one_sentence(body: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with suppress(ConnectionError):
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(SupervisorError, match="is not understood"):
            await Supervisor(address, Secret("token-of-the-app")).mqtt_service()
        server.close()

    asyncio.run(main())


def test_the_integration_is_offered_under_its_name() -> None:
    config = {"host": "iskra", "port": 8080, "token": "0123456789abcdef"}
    _, box = asking(lambda asked: asked.announce(config))
    assert [(message["service"], message["config"]) for message in box.discovery] == [("iskra_server", config)]


def test_equal_settings_are_equal() -> None:
    """So that nothing is started again."""
    assert MqttService("pi", 1883, password=Secret("a")) == MqttService("pi", 1883, password=Secret("a"))
    assert MqttService("pi", 1883, password=Secret("a")) != MqttService("pi", 1883, password=Secret("b"))


def test_the_stand_in_passes_on_what_is_no_request_both_ways_from_its_address() -> None:
    """As a WebSocket: an upgrade, and then bytes that come and go."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        peer = writer.get_extra_info("peername")[0]
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nX-Peer: %b\r\n\r\n" % peer.encode() + head)
        while data := await reader.read(100):
            writer.write(data.upper())
        writer.close()
        await writer.wait_closed()
        ended.set()

    ended = asyncio.Event()

    async def main() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        with supervisor() as box:
            box.app = Target("127.0.0.1", server.sockets[0].getsockname()[1], "127.0.0.2")
            reader, writer = await asyncio.open_connection(box.host, box.port)
            place = f"{box.ingress_path}/socket?a=b"
            headers = (
                "Host: ha",
                f"Cookie: ingress_session={box.session}",
                "Connection: Upgrade",
                "Upgrade: websocket",
            )
            writer.write("\r\n".join((f"GET {place} HTTP/1.1", *headers, "", "")).encode())
            async with asyncio.timeout(DEADLINE_S):
                assert (
                    await reader.readuntil(b"\r\n\r\n")
                    == b"HTTP/1.1 101 Switching Protocols\r\nX-Peer: 127.0.0.2\r\n\r\n"
                )
                passed = (await reader.readuntil(b"\r\n\r\n")).decode()
                assert passed.startswith("GET /socket?a=b HTTP/1.1\r\nHost: ha\r\n")
                assert "Connection: Upgrade\r\n" in passed and f"X-Ingress-Path: {box.ingress_path}\r\n" in passed
                for word in (b"come", b"and go"):
                    writer.write(word)
                    assert await reader.readexactly(len(word)) == word.upper()
            writer.close()
            await writer.wait_closed()
            # while the stand-in still runs: it passes on the end, too
            async with asyncio.timeout(DEADLINE_S):
                await ended.wait()
        server.close()

    asyncio.run(main())
