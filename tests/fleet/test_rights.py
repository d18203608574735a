"""deploy/central/acl at a real broker: a reader speaks under its own name alone, and a collector hears all of them."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import paho.mqtt.client as paho
import pytest
from msgspec import structs
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fleet.field import settings_for
from history.entries import METER, QUARTER, quarter_reading
from iskra_server.base.secret import Secret
from iskra_server.fleet import protocol
from iskra_server.fleet.central.collector import Collector
from iskra_server.fleet.edge.uplink import Uplink
from iskra_server.history.store.store import Store
from iskra_server.reading.hub import Hub
from outputs.mqtt.broker import Mosquitto, Subscriber
from running import DEADLINE_S, until
from samples import IMPORT, METER_ID

ACL = Path(__file__).parents[2] / "deploy" / "central" / "acl"
TOPIC = "iskra/v1/house-7/quarters"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Mosquitto]:
    program = shutil.which("mosquitto_passwd")
    if program is None:
        pytest.skip("mosquitto_passwd is not installed (deploy/debian-test-packages.txt)")
    passwords, acl = tmp_path / "passwords", tmp_path / "acl"
    passwords.touch(0o600)
    shutil.copy(ACL, acl)
    acl.chmod(0o600)
    for user in ("house-7", "house-8", "collector"):
        subprocess.run([program, "-b", passwords, user, "secret"], check=True)
    broker = Mosquitto(tmp_path, f"password_file {passwords}", f"acl_file {acl}", anonymous=False).start()
    yield broker
    broker.kill()


def test_a_reader_may_only_publish_under_its_own_name(guarded: Mosquitto, central: Store) -> None:
    settings = structs.replace(settings_for(guarded.url), username="collector", password=Secret("secret"))
    collector = Collector(settings=settings, group="collect", store=central, name="one")
    thread = Thread(target=collector.run)
    thread.start()
    assert collector.subscribed.wait(DEADLINE_S)
    login = {"password": "secret"}
    with (
        Subscriber(guarded.port, "iskra/v1/house-7/kept", user="house-7", **login) as own,
        Subscriber(guarded.port, "iskra/v1/+/quarters", user="house-8", **login) as other,
    ):
        other.say(TOPIC, protocol.encode(protocol.quarters(METER, [quarter_reading(QUARTER + 1)])))
        # nor the end of the other reader, what its meter shows now, or an answer to it
        for kind in ("status", "live", "kept"):
            other.say(f"iskra/v1/house-7/{kind}", b"offline")
        own.say(TOPIC, protocol.encode(protocol.quarters(METER, [quarter_reading()])))
        until(lambda: collector.kept == 1)
        assert (own.heard, other.heard) == ([], [])
    collector.stop()
    thread.join()
    assert central.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1) == [quarter_reading()]


def test_a_reader_reports_that_it_may_not_publish(guarded: Mosquitto, tmp_path: Path) -> None:
    settings = structs.replace(settings_for(guarded.url), username="house-8", password=Secret("secret"))
    uplink = Uplink(settings=settings, reader="house-7", store=lambda: None, hub=Hub(), statuses=list, version="1")

    async def run() -> None:
        running = asyncio.create_task(uplink.run())
        try:
            async with asyncio.timeout(DEADLINE_S):
                while uplink.health.state().ok:  # noqa: ASYNC110 - nobody tells when it is not
                    await asyncio.sleep(0.02)
        finally:
            running.cancel()
            await asyncio.wait((running,))

    asyncio.run(run())
    sentence = uplink.health.state().sentence
    assert "The broker denies publishing to iskra/v1/house-7/status (Not authorized)" in sentence


def test_a_collector_reports_that_it_may_not_answer(
    central: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic read #\ntopic write iskra/v1/+/quarters\n")
    acl.chmod(0o600)
    broker = Mosquitto(tmp_path, f"acl_file {acl}").start()
    collector = Collector(settings=settings_for(broker.url), group="collect", store=central, name="one")
    thread = Thread(target=collector.run)
    thread.start()
    try:
        assert collector.subscribed.wait(DEADLINE_S)
        link = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        link.connect("127.0.0.1", broker.port)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic, properties.CorrelationData = "iskra/v1/house-7/kept", b"1"
        link.publish(
            TOPIC, protocol.encode(protocol.quarters(METER, [quarter_reading()])), qos=1, properties=properties
        )
        link.loop_start()
        until(lambda: "the broker denies publishing to iskra/v1/+/kept (Not authorized)" in caplog.text)
        assert "denies publishing to iskra/v1/+/kept" in collector.state().sentence
        link.disconnect()
        link.loop_stop()
    finally:
        collector.stop()
        thread.join()
        broker.kill()
