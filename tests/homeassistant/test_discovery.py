"""The entities that MQTT and our integration bring into the real Home Assistant: what they are and show.

Every test leaves the home as it found it: broker and server run, the meter is read, each Home Assistant shows it.
"""

import re

from homeassistant import release
from homeassistant.entities import (
    BY_MQTT,
    DIAGNOSTIC,
    UNAVAILABLE,
    are_right,
    are_unavailable,
    besides,
    has_repair,
    published,
    registers,
    shown,
    unique_id,
    young,
)
from homeassistant.home import STALE_AFTER_S, Home
from homeassistant.instance import EVERY_S, HomeAssistant
from homeassistant.meter import LOCKED, UNLOCKED
from iskra_server.meter.registers import BY_KEY
from iskra_server.outputs.mqtt.keep_connected import RETRY_S
from running import until

# what is pushed comes at once; a busy machine needs some seconds
SOON_S = 120.0
# three attempts of the server; they are the same ones for two minutes
AWAY_S = 3 * RETRY_S if release.is_default() else 60.0


def test_a_locked_meter_is_discovered_with_what_it_sends(house: Home) -> None:
    are_right(house, SOON_S)
    for assistant in house.assistants:
        assert set(registers(assistant)) == set(published(house))
        assert unique_id(house, "power") not in registers(assistant)
        until(lambda: shown(assistant, BY_MQTT).get(unique_id(house, "locked")) == "on", SOON_S, EVERY_S)  # noqa: B023
    has_repair(house, "meter_locked", SOON_S)
    for assistant in young(house):
        assert besides(assistant, house, "locked")["state"] == "on"


def test_an_unlocked_meter_adds_power(house: Home) -> None:
    house.meter.profile = UNLOCKED
    house.meter.imported += 21
    are_right(house, SOON_S)
    for assistant in house.assistants:
        until(lambda: shown(assistant, BY_MQTT).get(unique_id(house, "locked")) == "off", SOON_S, EVERY_S)  # noqa: B023
        assert registers(assistant)[unique_id(house, "power")] == 201
    has_repair(house, "meter_locked", SOON_S, is_there=False)
    for assistant in young(house):
        assert besides(assistant, house, "locked")["state"] == "off"


def test_every_number_is_one_entity_of_its_class_and_unit(house: Home) -> None:
    for assistant in house.assistants:
        entities, states = assistant.entities(BY_MQTT), assistant.states()
        assert len(registers(assistant)) == len(published(house)) == 12
        for unique in published(house):
            attributes = states[entities[unique]]["attributes"]
            row = BY_KEY[unique.removeprefix(unique_id(house, ""))]
            is_energy = row.device_class == "energy"
            assert attributes["unit_of_measurement"] == ("kWh" if is_energy else row.unit)
            assert attributes["device_class"] == row.device_class
            assert attributes["state_class"] == row.state_class


def test_lock_state_and_signal_quality_are_diagnostic(house: Home) -> None:
    for assistant in house.assistants:
        listed = assistant.ask("config/entity_registry/list")
        categories = {each["unique_id"]: each["entity_category"] for each in listed if each["platform"] == "mqtt"}
        diagnostic = {unique for unique, category in categories.items() if category == "diagnostic"}
        assert diagnostic == {unique_id(house, name) for name in (*DIAGNOSTIC, "problem", "fault")}
        assert set(categories) - diagnostic == set(registers(assistant))
        quality = shown(assistant, BY_MQTT)[unique_id(house, "signal_quality")]
        assert 0 < float(quality) <= 100


def test_states_are_the_digits_of_the_answer(house: Home) -> None:
    house.meter.imported += 11
    house.meter.exported += 3
    are_right(house, SOON_S)


def test_a_silent_meter_is_unavailable_and_comes_back(house: Home) -> None:
    for assistant in young(house):
        # a server that has just started has one
        until(lambda: besides(assistant, house, "problem")["state"] == "off", SOON_S, EVERY_S)  # noqa: B023
    house.meter.is_silent = True
    are_unavailable(house, STALE_AFTER_S + SOON_S)
    has_repair(house, "no_data", SOON_S)
    for assistant in young(house):
        until(lambda: besides(assistant, house, "problem")["state"] == "on", SOON_S, EVERY_S)  # noqa: B023
        until(lambda: told(assistant, house) == timeless(house.server.status()["sentence"]), SOON_S, EVERY_S)  # noqa: B023
        assert besides(assistant, house, "problem")["attributes"]["failed_check"]
        until(lambda: event(assistant, house) == "fault", SOON_S, EVERY_S)  # noqa: B023
    house.meter.imported += 7
    house.meter.is_silent = False
    are_right(house, SOON_S)
    has_repair(house, "no_data", SOON_S, is_there=False)
    for assistant in young(house):
        until(lambda: besides(assistant, house, "problem")["state"] == "off", SOON_S, EVERY_S)  # noqa: B023
        until(lambda: event(assistant, house) == "recovered", SOON_S, EVERY_S)  # noqa: B023


def test_a_meter_that_locks_has_no_power_until_it_is_unlocked(house: Home) -> None:
    house.meter.imported += 10_000 - house.meter.imported % 10_000
    house.meter.profile = LOCKED
    are_right(house, SOON_S)
    for assistant in house.assistants:
        until(lambda: registers(assistant)[unique_id(house, "power")] == UNAVAILABLE, SOON_S, EVERY_S)  # noqa: B023
    house.meter.profile = UNLOCKED
    house.meter.imported += 5
    are_right(house, SOON_S)


def event(assistant: HomeAssistant, house: Home) -> object:
    """The kind of the newest."""
    return besides(assistant, house, "fault")["attributes"]["event_type"]


def told(assistant: HomeAssistant, house: Home) -> str:
    """What the problem is, and the next step."""
    problem = besides(assistant, house, "problem")["attributes"]
    return timeless(f"{problem['sentence']} {problem['next_step']}")


def timeless(sentence: str) -> str:
    """Without its seconds, which go on."""
    return re.sub(r"\d+ s\b", "", sentence)
