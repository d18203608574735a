"""The names of topics, and back from a topic to its meter."""

import pytest

from iskra_server.outputs.mqtt.topics import Topics

TOPICS = Topics("house/7", "homeassistant")


@pytest.mark.parametrize(
    ("topic", "meter"),
    [
        ("house/7/0a01/availability", "0a01"),
        ("house/7/availability", None),
        ("house/7/0a01/state", None),
        ("house/8/0a01/availability", None),
        ("house/7/a/b/availability", None),
    ],
)
def test_the_meter_of_an_availability(topic: str, meter: str | None) -> None:
    assert TOPICS.meter_of_availability(topic) == meter


@pytest.mark.parametrize(
    ("topic", "meter"),
    [
        ("homeassistant/sensor/0a01/power/config", "0a01"),
        ("homeassistant/binary_sensor/0a01/locked/config", "0a01"),
        ("homeassistant/device/0a01/config", "0a01"),
        ("homeassistant/status", None),
        ("homeassistant/sensor/0a01/config", None),
        ("elsewhere/device/0a01/config", None),
        ("house/7/0a01/discovery", None),
    ],
)
def test_the_meter_of_a_message_of_discovery(topic: str, meter: str | None) -> None:
    assert TOPICS.meter_of_discovery(topic) == meter
