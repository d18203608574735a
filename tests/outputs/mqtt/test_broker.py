"""Ways into a broker: passwords, TLS, client certificates, old protocols, and how soon to try again."""

import asyncio
import gc
import hashlib
import json
import os
import socket
import ssl
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
import trustme
from paho.mqtt.enums import CallbackAPIVersion

from iskra_server.outputs.mqtt import broker_connection
from iskra_server.outputs.mqtt.broker import MAX_RETRY_S, Broker, retry_delays_s
from iskra_server.outputs.mqtt.broker_connection import MAX_PACKET_BYTES
from iskra_server.outputs.mqtt.message import Message, MqttError, TakenOver, error_of
from outputs.mqtt.broker import Mosquitto, Subscriber
from outputs.mqtt.old import OldDoor
from outputs.mqtt.published import SERVER, STATE, publishing, settings, telegram
from outputs.mqtt.secured import secured
from running import Head, Server, free_port, until

USER, PASSWORD = "meter", "s3cr:t/@"


def test_a_broker_is_looked_for_every_second_and_after_two_minutes_more_rarely() -> None:
    delays = list(islice(retry_delays_s(), 200))
    # jitter: from half of the delay to all of it
    assert all(0.5 <= delay <= 1 for delay in delays[:120])
    assert all(most / 2 <= delay <= most for delay, most in zip(delays[120:], (2, 4, 8, 16), strict=False))
    assert all(MAX_RETRY_S / 2 <= delay <= MAX_RETRY_S for delay in delays[124:])
    assert len(set(delays)) > 100


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker with one user."""
    salt = os.urandom(12)
    key = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, 101)
    line = f"{USER}:$7$101${b64encode(salt).decode()}${b64encode(key).decode()}\n"
    (tmp_path / "passwords").write_text(line)
    made = Mosquitto(tmp_path, f"password_file {tmp_path / 'passwords'}", anonymous=False).start()
    yield made
    made.kill()


def test_a_message_that_is_too_large_is_not_taken_from_the_broker(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path).start()

    async def check() -> list[bytes]:
        heard: list[bytes] = []
        async with Broker(settings(broker.url), None).connected() as connection:
            await connection.subscribe("there")
            with Subscriber(broker.port, "nothing") as other:
                for payload in (b"x" * (2 * MAX_PACKET_BYTES), b"small"):
                    other.say("there", payload)
                async with asyncio.timeout(20):
                    async for message in connection.messages():
                        heard.append(bytes(message.payload))
                        if message.payload == b"small":
                            return heard
        return heard

    assert asyncio.run(check()) == [b"small"]
    broker.kill()


def test_a_password_may_stand_in_a_file(head: Head, guarded: Mosquitto, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(PASSWORD + "\n")
    url = f"mqtt://{USER}@127.0.0.1:{guarded.port}"
    with (
        Subscriber(guarded.port, user=USER, password=PASSWORD) as subscriber,
        publishing(head, url, MQTT_PASSWORD_FILE=str(tmp_path / "secret")) as server,
    ):
        until(lambda: subscriber.now.get(SERVER) == b"online")
    assert PASSWORD not in server.log


def test_a_wrong_password_is_said_once(head: Head, guarded: Mosquitto) -> None:
    url = f"mqtt://{USER}:wrong@127.0.0.1:{guarded.port}"
    with publishing(head, url) as server:
        until(lambda: "Not authorized" in server.log)
        until(lambda: guarded.log.read_text().count("not authorised") >= 2)
    assert server.log.count("Nothing is published") == 1
    assert "wrong" not in server.log


@pytest.fixture(name="secured")
def secured_broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with secured(tmp_path) as broker:
        yield broker


def test_tls_with_a_client_certificate(head: Head, secured: Mosquitto, tmp_path: Path) -> None:
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    context.load_cert_chain(tmp_path / "reader.pem")
    files = {"MQTT_CA_FILE": str(tmp_path / "ca.pem"), "MQTT_CERT_FILE": str(tmp_path / "reader.pem")}
    with (
        Subscriber(secured.port, context=context) as subscriber,
        publishing(head, f"mqtts://localhost:{secured.port}", **files),
    ):
        head.send(telegram(0))
        until(lambda: STATE in subscriber.now)


def test_a_broker_that_is_somebody_else_gets_nothing(head: Head, secured: Mosquitto, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    files = {"MQTT_CA_FILE": str(tmp_path / "other.pem"), "MQTT_CERT_FILE": str(tmp_path / "reader.pem")}
    with publishing(head, f"mqtts://localhost:{secured.port}", **files) as server:
        until(lambda: "certificate verify failed" in server.log)
    assert "Publishing to" not in server.log


def test_a_client_without_a_certificate_is_refused(head: Head, secured: Mosquitto, tmp_path: Path) -> None:
    with publishing(head, f"mqtts://localhost:{secured.port}", MQTT_CA_FILE=str(tmp_path / "ca.pem")) as server:
        until(lambda: "Nothing is published" in server.log)
        assert server.get("/healthz").status_code == 200


def test_mqtt_5_where_the_broker_speaks_it(head: Head, broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber, publishing(head, broker, MQTT_CLIENT_ID="cellar"):
        until(lambda: subscriber.now.get(SERVER) == b"online")
    assert "as cellar (p5, c1," in broker.log.read_text()


@pytest.mark.parametrize("refusal", [b"\x20\x02\x00\x01", b""], ids=["refused", "no answer"])
def test_mqtt_3_1_1_where_it_speaks_no_other(head: Head, broker: Mosquitto, refusal: bytes) -> None:
    with OldDoor(broker.port, refusal) as door, Subscriber(broker.port) as subscriber, publishing(head, door.url):
        until(lambda: subscriber.now.get(SERVER) == b"online")
        head.send(telegram(0))
        until(lambda: STATE in subscriber.now)
        assert door.versions == [5, 4]


@pytest.mark.parametrize(
    ("refusal", "versions"), [(b"\x20\x02\x00\x01", [5, 5, 4]), (b"", [5, 5, 5, 4])], ids=["refused", "no answer"]
)
def test_a_broker_that_is_replaced_by_an_older_one_is_found_without_a_restart(
    broker: Mosquitto, refusal: bytes, versions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_connection, "TIMEOUT_S", 1.0)

    async def connect(door: OldDoor) -> None:
        client = Broker(settings(door.url), None)
        door.has_mqtt_5 = True
        async with client.connected():
            door.has_mqtt_5 = False
        for _ in versions[1:-1]:
            with pytest.raises(MqttError):
                async with client.connected():
                    raise AssertionError
        async with client.connected() as connection:
            await connection.publish(Message("here", b"now"))

    with OldDoor(broker.port, refusal) as door:
        asyncio.run(connect(door))
    assert door.versions == versions


def test_a_broker_that_cannot_be_reached_says_nothing_of_its_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_connection, "TIMEOUT_S", 0.5)

    async def why(broker: Broker) -> Exception | None:
        try:
            async with broker.connected():
                return None
        except MqttError as error:
            return error

    # who does not accept drops what comes when its queue is full, like a computer that is off
    with socket.create_server(("127.0.0.1", 0), backlog=0) as away:
        queued = [socket.socket() for _ in range(8)]
        for each in queued:
            each.setblocking(False)
            with suppress(BlockingIOError):
                each.connect(away.getsockname())
        error = asyncio.run(why(Broker(settings(f"mqtt://127.0.0.1:{away.getsockname()[1]}"), None)))
        for each in queued:
            each.close()
    assert type(error) is MqttError


def test_a_broker_that_takes_nothing_more_is_left_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    unseen: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unseen.append)

    async def fill(port: int) -> None:
        async with Broker(settings(f"mqtt://127.0.0.1:{port}"), None).connected() as connection:
            for _ in range(16):
                connection.start_publish(Message("much", b"x" * MAX_PACKET_BYTES))

    async def main(port: int) -> None:
        await fill(port)
        await asyncio.sleep(0)
        gc.collect()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken: list[socket.socket] = []

        def take() -> None:
            taken.append(listening.accept()[0])
            taken[0].recv(4096)
            taken[0].sendall(b"\x20\x03\x00\x00\x00")

        threading.Thread(target=take, daemon=True).start()
        asyncio.run(main(listening.getsockname()[1]))
        taken[0].close()
    assert unseen == []


def output(server: Server) -> dict[str, Any]:
    """How the broker stands, as the server says."""
    (state,) = server.get("/api/v1/status").json()["outputs"]
    found: dict[str, Any] = state
    return found


@pytest.fixture
def denying(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that takes what is below iskra-server alone, and lets everything be read."""
    (tmp_path / "acl").write_text("topic read #\ntopic write iskra-server/#\n")
    (tmp_path / "acl").chmod(0o600)
    made = Mosquitto(tmp_path, f"acl_file {tmp_path / 'acl'}").start()
    yield made
    made.kill()


def test_a_topic_that_the_broker_denies_is_named_and_the_others_go_on(head: Head, denying: Mosquitto) -> None:
    with Subscriber(denying.port) as subscriber, publishing(head, denying) as server:
        head.send(telegram(0))
        until(lambda: not output(server)["ok"])
        sentence = output(server)["sentence"]
        assert "The broker denies publishing to homeassistant/" in sentence
        assert "(Not authorized); allow it in its access rules (ACL)." in sentence
        head.send(telegram(1))
        until(lambda: b"12345.6781" in subscriber.now.get(STATE, b""))
        assert subscriber.now[SERVER] == b"online"
    assert server.log.count("the broker denies publishing to homeassistant/") == 1


def test_what_the_broker_denies_is_not_counted_as_delivered(head: Head, denying: Mosquitto) -> None:
    with publishing(head, denying, MQTT_BASE_TOPIC="other") as server:
        head.send(telegram(0))
        until(lambda: output(server)["refused"] > 2)
        assert "The broker denies publishing to other/availability (Not authorized)" in output(server)["sentence"]
        assert (output(server)["ok"], output(server)["delivered"]) == (False, 0)


def test_a_broker_that_denies_without_a_word_is_found_out(head: Head, denying: Mosquitto) -> None:
    """MQTT 3.1.1 has no way to say it."""
    with OldDoor(denying.port) as door, publishing(head, door.url, MQTT_BASE_TOPIC="other") as server:
        head.send(telegram(0))
        until(lambda: "what is sent does not come back" in output(server)["sentence"])
        assert "other/availability" in output(server)["sentence"]


def test_a_filter_that_the_broker_denies_is_named(head: Head, tmp_path: Path) -> None:
    plugin = next(iter(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")), None)
    if plugin is None:
        pytest.skip("this Mosquitto has no dynamic security")
    rules = {"publishClientSend": True, "publishClientReceive": True, "subscribe": False, "unsubscribe": True}
    (tmp_path / "rules.json").write_text(json.dumps({"defaultACLAccess": rules}))
    broker = Mosquitto(tmp_path, f"plugin {plugin}", f"plugin_opt_config_file {tmp_path / 'rules.json'}").start()
    try:
        with publishing(head, broker) as server:
            until(lambda: not output(server)["ok"])
            assert (
                "The broker denies reading iskra-server/+/availability (Not authorized)" in output(server)["sentence"]
            )
    finally:
        broker.kill()


def test_a_connection_that_another_program_took_over_says_so() -> None:
    """By the reason code of MQTT 5."""
    connected, taken_over = b"\x20\x03\x00\x00\x00", b"\xe0\x02\x8e\x00"

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(connected + taken_over)
        await writer.drain()
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(broker, "127.0.0.1", port := free_port()):
            twin = settings(f"mqtt://127.0.0.1:{port}", client_id="twin")
            async with Broker(twin, "will").connected() as connection:
                async for _ in connection.messages():
                    raise AssertionError

    with pytest.raises(TakenOver, match="another program uses the client id twin there"):
        asyncio.run(run())


def test_two_programs_with_one_client_id_are_told_so(head: Head, broker: Mosquitto) -> None:
    """Mosquitto 2.0 throws the older one out without a word."""
    with publishing(head, broker, MQTT_CLIENT_ID="twin") as server:
        until(lambda: output(server)["ok"])
        twin = paho.Client(CallbackAPIVersion.VERSION2, "twin", protocol=paho.MQTTv5)
        twin.reconnect_delay_set(1, 1)
        twin.connect("127.0.0.1", broker.port)
        twin.loop_start()
        try:
            until(lambda: "another program seems to use the client id twin there" in output(server)["sentence"])
            assert "Give each program a client_id of its own" in output(server)["sentence"]
        finally:
            twin.disconnect()
            twin.loop_stop()


def test_a_connection_that_is_lost_while_it_is_ended_is_ended() -> None:
    async def dying() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise MqttError("gone") from None

    async def session() -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(dying())
                await asyncio.sleep(60)
        except BaseExceptionGroup as errors:
            raise error_of(errors) from None

    async def main() -> bool:
        running = asyncio.create_task(session())
        await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait((running,), timeout=5)
        return running.cancelled()

    assert asyncio.run(main())
