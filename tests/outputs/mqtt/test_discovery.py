"""Messages of discovery: one for each register of the table, in two forms and two languages."""

import json
from typing import Any

import pytest

from iskra_server.base.language import Language
from iskra_server.meter.medium import Medium
from iskra_server.meter.registers import REGISTERS
from iskra_server.outputs.mqtt.discovery import DiscoveryPayloads, own_registers
from iskra_server.outputs.mqtt.entity_names import Device, Entity
from iskra_server.outputs.mqtt.topics import Topics

ID = "0a0149534b0004316b61"
DEVICE = Device(ID, "1 ISK 00 70347617", "", "ISK", "MT175/MT681", simulated=False)
DIGITS = {row.key: 1 for row in REGISTERS.values()}


def payloads(language: Language = "en") -> DiscoveryPayloads:
    return DiscoveryPayloads(topics=Topics("iskra-server", "homeassistant"), language=language, version="1.2.3")


def entities(digits: dict[str, int], device: Device = DEVICE, language: Language = "en") -> list[Entity]:
    return payloads(language).entities(device, digits, expire_s=60, counters_expire_s=70, diagnostics_s=120)


def config(key: str, device: Device = DEVICE, language: Language = "en") -> dict[str, Any]:
    return next(each.config for each in entities(DIGITS, device, language) if each.key == key)


@pytest.mark.parametrize("row", REGISTERS.values(), ids=lambda row: row.key)
def test_every_register_of_the_table_becomes_an_entity(row: Any) -> None:
    made = config(row.key)
    assert made["name"] == row.en
    assert made.get("state_class") == row.state_class
    assert made.get("device_class") == (None if row.device_class == "reactive_energy" else row.device_class)
    assert made["unique_id"] == f"iskra_{ID}_{row.key}"


def test_an_energy_whole() -> None:
    assert config("energy_import") == {
        "name": "Energy import",
        "unique_id": f"iskra_{ID}_energy_import",
        "default_entity_id": "sensor.electricity_meter_1_isk_00_70347617_energy_import",
        "state_topic": f"iskra-server/{ID}/counters",
        "value_template": (
            "{{ value_json['energy_import'] if value_json is defined and 'energy_import' in value_json else none }}"
        ),
        "suggested_display_precision": 1,
        "expire_after": 70,
        "availability": [
            {"topic": "iskra-server/availability"},
            {"topic": f"iskra-server/{ID}/availability"},
            {
                "topic": f"iskra-server/{ID}/counters",
                "value_template": (
                    "{{ 'online' if value_json is defined and 'energy_import' in value_json else 'offline' }}"
                ),
            },
        ],
        "availability_mode": "all",
        "device_class": "energy",
        "state_class": "total_increasing",
        "unit_of_measurement": "kWh",
    }


def test_power_comes_with_every_telegram() -> None:
    made = config("power")
    assert (made["state_topic"], made["expire_after"]) == (f"iskra-server/{ID}/state", 60)


def test_names_are_german_where_that_is_wanted() -> None:
    assert config("power", language="de")["name"] == "Leistung"
    assert config("signal_quality", language="de")["name"] == "Signalqualität"
    assert config("locked", language="de")["name"] == "Gesperrt (PIN)"


def test_quality_and_lock_are_diagnostic() -> None:
    for key in ("signal_quality", "locked", "problem", "fault"):
        assert config(key)["entity_category"] == "diagnostic"
        topic = "event" if key == "fault" else "diagnostics"
        assert config(key)["state_topic"] == f"iskra-server/{ID}/{topic}"


def test_simulated_data_says_so_in_every_name() -> None:
    simulated = Device(ID, "1 ISK 00 70347617", "House", "ISK", None, simulated=True)
    made = entities(DIGITS, simulated)
    assert [each.key for each in made if not each.config["name"].endswith(" (simulated)")] == []
    message = next(iter(payloads().device(simulated, made).values()))
    assert json.loads(message)["device"]["name"] == "House (simulated)"


def test_the_device_is_the_meter() -> None:
    topic, message = next(iter(payloads().classic(DEVICE, entities({"power": 0})).items()))
    assert topic == f"homeassistant/sensor/{ID}/power/config"
    assert json.loads(message)["device"] == {
        "identifiers": [f"iskra_{ID}"],
        "name": "Electricity meter 1 ISK 00 70347617",
        "manufacturer": "ISKRA",
        "model": "MT175/MT681",
        "serial_number": "1 ISK 00 70347617",
    }
    assert json.loads(message)["origin"] == {"name": "iskra-server", "sw_version": "1.2.3"}


def test_both_forms_hold_the_same_entities() -> None:
    made = entities({"power": 0, "energy_import": 4})
    classic = payloads().classic(DEVICE, made)
    whole = json.loads(payloads().device(DEVICE, made)[f"homeassistant/device/{ID}/config"])
    shared = {"device": whole["device"], "origin": whole["origin"]}
    for topic, message in classic.items():
        component, _, key = topic.split("/")[1:4]
        assert whole["components"][key] | shared == json.loads(message) | {"platform": component}
    assert len(classic) == len(whole["components"]) == 6


def places_in(messages: dict[str, bytes]) -> dict[str, int]:
    return {key: read.places for registers in own_registers(messages).values() for key, read in registers.items()}


def test_our_own_messages_are_read_back_from_both_forms() -> None:
    made = entities({"power": 0, "energy_import": 4})
    classic, whole = payloads().classic(DEVICE, made), payloads().device(DEVICE, made)
    assert own_registers(classic).keys() == classic.keys()
    assert len(own_registers(whole)) == 1
    assert places_in(classic) == places_in(whole) == {"power": 0, "energy_import": 4}


def test_a_register_outside_the_table_is_announced_under_its_code_and_read_back() -> None:
    digits, units = {"1-1:1.8.0": 4, "1-0:1.9.0": 1}, {"1-1:1.8.0": "kWh"}
    made = payloads().entities(DEVICE, digits, units, expire_s=60, counters_expire_s=70, diagnostics_s=120)
    classic, whole = payloads().classic(DEVICE, made), payloads().device(DEVICE, made)
    config = json.loads(classic[f"homeassistant/sensor/{ID}/1-1_1_8_0/config"])
    assert config["name"] == "1-1:1.8.0"
    assert config["value_template"].startswith("{{ value_json['1-1:1.8.0'] if ")
    assert (config["unit_of_measurement"], config["state_class"]) == ("kWh", "total_increasing")
    # without a unit there is no entity
    assert f"homeassistant/sensor/{ID}/1-0_1_9_0/config" not in classic
    for messages in (classic, whole):
        assert places_in(messages) == {"1-1:1.8.0": 4}
        assert [registers["1-1:1.8.0"].unit for registers in own_registers(messages).values() if registers] == ["kWh"]


@pytest.mark.parametrize("payload", [b"", b"no json", b'{"name":"x"}', b'{"origin":{"name":"zigbee2mqtt"}}', b"[]"])
def test_what_others_wrote_is_not_ours(payload: bytes) -> None:
    assert own_registers({f"homeassistant/sensor/{ID}/power/config": payload}) == {}


@pytest.mark.parametrize(
    ("medium", "unit", "device_class"),
    [("gas", None, "gas"), ("water", None, "water"), ("other", None, None), ("heat", "GJ", "energy")],
)
def test_the_counter_of_a_sub_meter_has_the_class_of_its_medium(
    medium: Medium, unit: str | None, device_class: str | None
) -> None:
    device = Device("47", "G0099", "", None, None, simulated=False, medium=medium, is_sub_meter=True)
    units = {"mbus1_reading": unit} if unit else {}
    (sensor,) = payloads().entities(
        device, {"mbus1_reading": 3}, units, expire_s=60, counters_expire_s=70, diagnostics_s=120
    )
    assert sensor.config["name"] == "Meter reading"
    assert sensor.config.get("device_class") == device_class
    assert sensor.config["state_class"] == "total_increasing"
    assert sensor.config["unit_of_measurement"] == (unit or "m³")
    (message,) = payloads("de").classic(device, [sensor]).values()
    names = {"gas": "Gaszähler", "water": "Wasserzähler", "heat": "Wärmezähler", "other": "Zähler"}
    assert json.loads(message)["device"]["name"] == f"{names[medium]} G0099"
