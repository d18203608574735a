"""Entities at a real broker: they appear with their register, survive, and change their form without a double."""

import json
from functools import partial
from pathlib import Path

from outputs.mqtt.broker import Mosquitto, Subscriber, retained
from outputs.mqtt.published import METER, STATE, publishing, telegram
from running import Head, until

DEVICE = f"homeassistant/device/{METER}/config"
PROBLEMS = {"binary_sensor/problem", "event/fault"}
MIGRATE = b'{"migrate_discovery":true}'
COARSE = {"sensor/energy_import", "sensor/signal_quality", "binary_sensor/locked", *PROBLEMS}
FINE = COARSE | {"sensor/power", "sensor/power_import", "sensor/power_export"}


def entities(broker: Mosquitto) -> list[str]:
    """Every entity that a Home Assistant which starts now would make, in either form: two of a kind are a double."""
    found = []
    for topic, payload in retained(broker.port, "homeassistant/").items():
        if topic == DEVICE:
            found += [f"{each['platform']}/{key}" for key, each in json.loads(payload)["components"].items()]
        else:
            found.append("/".join((topic.split("/")[1], topic.split("/")[3])))
    return found


def has(broker: Mosquitto, wanted: set[str]) -> bool:
    return sorted(entities(broker)) == sorted(wanted)


def has_form(broker: Mosquitto, discovery: str) -> bool:
    return (DEVICE in retained(broker.port)) == (discovery == "device")


def test_entities_appear_when_their_register_does(head: Head, broker: Mosquitto) -> None:
    with publishing(head, broker):
        head.send(telegram(0, power=None, scaler=3))
        until(lambda: has(broker, COARSE))
        head.send(telegram(1))
        until(lambda: has(broker, FINE))
        topic = f"homeassistant/sensor/{METER}/energy_import/config"
        until(lambda: json.loads(retained(broker.port, topic)[topic])["suggested_display_precision"] == 4)


def test_a_meter_that_locks_keeps_its_entities_over_a_restart(head: Head, broker: Mosquitto) -> None:
    for discovery in ("classic", "device"):
        with publishing(head, broker, MQTT_DISCOVERY=discovery):
            head.send(telegram(0))
            # those of the form before are there at once, and are replaced
            until(partial(has_form, broker, discovery))
            until(lambda: has(broker, FINE))
        with publishing(head, broker, MQTT_DISCOVERY=discovery), Subscriber(broker.port) as subscriber:
            head.send(telegram(0, power=None, scaler=3))
            until(lambda: subscriber.json(STATE) and subscriber.json(STATE).get("energy_import") == 12345)
            assert "power" not in subscriber.json(STATE)
            assert has(broker, FINE)


def test_each_change_of_form_leaves_one_entity_for_each_register(head: Head, broker: Mosquitto) -> None:
    number = 0
    for discovery, wanted in (("classic", FINE), ("device", FINE), ("classic", FINE), ("off", set()), ("device", FINE)):
        with publishing(head, broker, MQTT_DISCOVERY=discovery):
            head.send(telegram(number := number + 1))
            until(partial(has_form, broker, discovery))
            until(partial(has, broker, wanted))


def test_entities_are_migrated_in_the_order_that_home_assistant_wants(head: Head, broker: Mosquitto) -> None:
    power = f"homeassistant/sensor/{METER}/power/config"
    with publishing(head, broker):
        head.send(telegram(0))
        until(lambda: has(broker, FINE))
    with Subscriber(broker.port, "homeassistant/#") as subscriber, publishing(head, broker, MQTT_DISCOVERY="device"):
        head.send(telegram(1))
        until(lambda: subscriber.now.get(power) == b"")
        order = [(topic, payload) for _, topic, payload in subscriber.heard if topic in (power, DEVICE)][1:]
    assert [topic for topic, _ in order] == [power, DEVICE, power]
    assert (order[0][1], order[2][1]) == (MIGRATE, b"")


def test_an_entity_that_is_gone_is_only_deleted(head: Head, broker: Mosquitto, tmp_path: Path) -> None:
    today = f"homeassistant/sensor/{METER}/energy_import_today/config"
    with publishing(head, broker, HISTORY_ENABLED="true", DATA_DIR=str(tmp_path)):
        head.send(telegram(0))
        until(lambda: today in retained(broker.port))
    with Subscriber(broker.port, "homeassistant/#") as subscriber, publishing(head, broker):
        head.send(telegram(1))
        until(lambda: subscriber.now.get(today) == b"")
        assert MIGRATE not in {payload for _, _, payload in subscriber.heard}


def test_what_others_announce_stays(head: Head, broker: Mosquitto) -> None:
    theirs = f"homeassistant/sensor/{METER}/of_another_program/config"
    with Subscriber(broker.port) as subscriber:
        subscriber.say(theirs, '{"name":"x","origin":{"name":"other"}}', retain=True)
        with publishing(head, broker, MQTT_DISCOVERY="device"):
            head.send(telegram(0))
            until(lambda: DEVICE in retained(broker.port))
    assert theirs in retained(broker.port)


def test_names_are_german_where_that_is_wanted(head: Head, broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber, publishing(head, broker, MQTT_LANGUAGE="de"):
        head.send(telegram(0))
        topic = f"homeassistant/sensor/{METER}/energy_import/config"
        until(lambda: subscriber.json(topic))
        assert subscriber.json(topic)["name"] == "Zählerstand Bezug"


def test_the_prefix_is_the_configured_one(head: Head, broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber, publishing(head, broker, MQTT_DISCOVERY_PREFIX="ha/one"):
        head.send(telegram(0))
        until(lambda: f"ha/one/sensor/{METER}/power/config" in subscriber.now)
        assert subscriber.topics("homeassistant/") == set()
