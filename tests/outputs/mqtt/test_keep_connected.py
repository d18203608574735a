"""Ways into a broker: passwords, TLS, client certificates, old protocols, and how soon to try again."""

import json
import ssl
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
import trustme
from paho.mqtt.enums import CallbackAPIVersion

from iskra_server.outputs.mqtt.keep_connected import (
    MAX_RETRY_S,
    refused_delays_s,
    retry_delays_s,
    spread_delays_s,
)
from outputs.mqtt.broker import Mosquitto, Subscriber
from outputs.mqtt.old import OldDoor
from outputs.mqtt.published import SERVER, STATE, publishing, telegram
from outputs.mqtt.secured import guarded, secured
from running import Head, Server, until

USER, PASSWORD = "meter", "s3cr:t/@"


def test_a_broker_is_looked_for_every_second_and_after_two_minutes_more_rarely() -> None:
    delays = list(islice(retry_delays_s(), 200))
    # jitter: from half of the delay to all of it
    assert all(0.5 <= delay <= 1 for delay in delays[:120])
    assert all(most / 2 <= delay <= most for delay, most in zip(delays[120:], (2, 4, 8, 16), strict=False))
    assert all(MAX_RETRY_S / 2 <= delay <= MAX_RETRY_S for delay in delays[124:])
    assert len(set(delays)) > 100


def test_readers_come_back_spread_over_a_time() -> None:
    first = [next(spread_delays_s(30)) for _ in range(300)]
    assert (min(first) < 5, max(first) > 25, max(first) <= 30) == (True, True, True)
    assert all(delay <= 1 for delay in islice(spread_delays_s(30), 1, 100))


def test_a_broker_that_refuses_is_asked_less_and_less_often() -> None:
    delays = list(islice(refused_delays_s(), 20))
    assert all(
        most / 2 <= delay <= most for delay, most in zip(delays, (1, 2, 4, 8, 16, 32, 64, 120, 120), strict=False)
    )


@pytest.fixture(name="guarded")
def guarded_broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with guarded(tmp_path, USER, PASSWORD) as broker:
        yield broker


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
    until(lambda: "as cellar (p5, c1," in broker.log.read_text())


@pytest.mark.parametrize(
    "refusal",
    [pytest.param(b"\x20\x02\x00\x01", id="refused"), pytest.param(b"", id="no answer", marks=pytest.mark.slow)],
)
def test_mqtt_3_1_1_where_it_speaks_no_other(head: Head, broker: Mosquitto, refusal: bytes) -> None:
    with OldDoor(broker.port, refusal) as door, Subscriber(broker.port) as subscriber, publishing(head, door.url):
        until(lambda: subscriber.now.get(SERVER) == b"online")
        head.send(telegram(0))
        until(lambda: STATE in subscriber.now)
        assert door.versions == [5, 4]


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
        until(lambda: "The broker denies publishing to homeassistant/" in output(server)["sentence"])
        sentence = output(server)["sentence"]
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


@pytest.mark.slow
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


@pytest.mark.slow
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
