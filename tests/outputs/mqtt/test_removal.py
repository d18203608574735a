"""A meter that is gone leaves nothing at the broker; the others stay."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from iskra_server.outputs.mqtt.removal import RemovalError, remove
from outputs.mqtt.broker import Mosquitto, Subscriber, retained
from outputs.mqtt.old import OldDoor
from outputs.mqtt.published import DIAGNOSTICS, METER, SERVER, publishing, settings, telegram
from running import Head, free_port, until

LABEL = "1 ISK 00 12345678"


def take_away(url: str, name: str) -> str:
    return asyncio.run(remove(settings(url), name))


def leave(head: Head, broker: Mosquitto, **environ: str) -> None:
    """A server has published a meter, and has ended."""
    with publishing(head, broker, **environ):
        head.send(telegram(0))
        until(partial(is_whole, broker))


def is_whole(broker: Mosquitto) -> bool:
    there = retained(broker.port)
    return DIAGNOSTICS in there and any(
        topic.endswith(("/locked/config", "homeassistant/device/" + METER + "/config")) for topic in there
    )


@pytest.mark.parametrize("name", [LABEL, "1isk0012345678", METER])
def test_everything_of_the_meter_goes(head: Head, broker: Mosquitto, name: str) -> None:
    leave(head, broker)
    assert take_away(broker.url, name) == LABEL
    assert retained(broker.port).keys() == {SERVER}


def test_the_device_form_goes_too(head: Head, broker: Mosquitto) -> None:
    leave(head, broker, MQTT_DISCOVERY="device")
    take_away(broker.url, LABEL)
    assert retained(broker.port).keys() == {SERVER}


def test_other_meters_and_other_programs_stay(head: Head, broker: Mosquitto) -> None:
    leave(head, broker)
    others = {
        "iskra-server/0a01/availability": b"offline",
        "homeassistant/sensor/0a01/power/config": b'{"origin":{"name":"iskra-server"}}',
        f"homeassistant/sensor/{METER}/x/config": b'{"origin":{"name":"other"}}',
    }
    with Subscriber(broker.port) as subscriber:
        for topic, payload in others.items():
            subscriber.say(topic, payload, retain=True)
    take_away(broker.url, LABEL)
    assert retained(broker.port).keys() == {SERVER, *others}


def test_entities_go_before_what_they_show(head: Head, broker: Mosquitto) -> None:
    leave(head, broker)
    with Subscriber(broker.port) as subscriber:
        take_away(broker.url, LABEL)
        until(lambda: DIAGNOSTICS not in subscriber.topics())
        cleared = [topic.partition("/")[0] for _, topic, payload in subscriber.heard if not payload]
    assert cleared == sorted(cleared, key=["homeassistant", "iskra-server"].index)


def test_a_sub_meter_goes_by_its_name(broker: Mosquitto) -> None:
    gas = b"G0099000000000029".hex()
    with Subscriber(broker.port) as subscriber:
        subscriber.say(f"iskra-server/{gas}/availability", "offline", retain=True)
        subscriber.say(f"homeassistant/sensor/{gas}/x/config", '{"origin":{"name":"iskra-server"}}', retain=True)
    take_away(broker.url, "G0099000000000029")
    assert retained(broker.port) == {}


def test_a_meter_that_goes_while_the_server_reads_another_does_not_come_back(head: Head, broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber:
        subscriber.say("iskra-server/0a01/availability", "online", retain=True)
        with publishing(head, broker):
            until(lambda: subscriber.json("iskra-server/0a01/diagnostics"))
            take_away(broker.url, "0a01")
            head.send(telegram(0))
            until(partial(is_whole, broker))
            assert not any("/0a01/" in topic for topic in retained(broker.port))


def test_a_meter_that_is_being_read_stays(head: Head, broker: Mosquitto) -> None:
    with publishing(head, broker):
        head.send(telegram(0))
        until(partial(is_whole, broker))
        with pytest.raises(RemovalError, match="is being read now; take it out of the configuration first"):
            take_away(broker.url, LABEL)
        assert is_whole(broker)


def test_a_meter_that_the_broker_does_not_know(head: Head, broker: Mosquitto) -> None:
    with pytest.raises(RemovalError, match=r"^There is no meter x at mqtt:.*; it has none\.$"):
        take_away(broker.url, "x")
    leave(head, broker)
    with pytest.raises(RemovalError, match=rf"it has {LABEL}\.$"):
        take_away(broker.url, "x")


def test_a_broker_of_the_old_protocol(head: Head, broker: Mosquitto) -> None:
    leave(head, broker)
    with OldDoor(broker.port) as door:
        assert take_away(door.url, LABEL) == LABEL
    assert retained(broker.port).keys() == {SERVER}


def test_a_broker_that_is_away() -> None:
    with pytest.raises(RemovalError, match=r"cannot be used: .*refused"):
        take_away(f"mqtt://127.0.0.1:{free_port()}", LABEL)


@pytest.mark.slow
def test_a_broker_that_lets_nothing_be_read_says_so_in_time(tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic write #\n")
    acl.chmod(0o600)
    broker = Mosquitto(tmp_path, f"acl_file {acl}").start()
    try:
        with pytest.raises(RemovalError, match="does not answer within 5 s"):
            take_away(broker.url, LABEL)
    finally:
        broker.kill()
