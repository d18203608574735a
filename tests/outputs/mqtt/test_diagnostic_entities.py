"""Entities about how a meter is read; the real Home Assistant renders their templates in tests/homeassistant."""

from typing import Any

from iskra_server.outputs.mqtt.diagnostic_entities import diagnostic_entities
from iskra_server.outputs.mqtt.entity_names import Device
from iskra_server.outputs.mqtt.topics import Topics

DEVICE = Device("0a01", "1 ISK 00 70347617", "", "ISK", None, simulated=False)


def config(component: str, key: str) -> dict[str, Any]:
    entities = diagnostic_entities(Topics("iskra-server", "homeassistant"), DEVICE, "de", expire_s=120)
    return next(each.config for each in entities if (each.component, each.key) == (component, key))


def test_a_problem_has_its_sentence_and_is_unavailable_when_nobody_knows() -> None:
    problem = config("binary_sensor", "problem")
    assert (problem["device_class"], problem["expire_after"]) == ("problem", 120)
    assert "'sentence': value_json.sentence" in problem["json_attributes_template"]
    server, decided = problem["availability"]
    assert server == {"topic": "iskra-server/availability"}
    assert "value_json.problem is boolean" in decided["value_template"]
    assert problem["availability_mode"] == "all"


def test_a_fault_is_an_event() -> None:
    fault = config("event", "fault")
    assert (fault["name"], fault["event_types"]) == ("Störung", ["fault", "recovered"])
    assert fault["state_topic"] == "iskra-server/0a01/event"


def test_names_are_german_where_that_is_wanted() -> None:
    assert config("sensor", "signal_quality")["name"] == "Signalqualität"
    assert config("binary_sensor", "locked")["name"] == "Gesperrt (PIN)"
