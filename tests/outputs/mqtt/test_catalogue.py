"""What is remembered of a meter from telegram to telegram."""

import json
from decimal import Decimal

from msgspec import structs

import submeters
from iskra_server.meter.units import WATT_HOUR
from iskra_server.outputs.mqtt.catalogue import MAX_UNNAMED, KnownMeter, hex_id
from iskra_server.outputs.mqtt.discovery import DiscoveryPayloads
from iskra_server.outputs.mqtt.payloads import numbers_of, units
from iskra_server.outputs.mqtt.topics import Topics
from outputs.mqtt.published import settings
from outputs.mqtt.test_payloads import reading, sample

SAMPLE = sample(reading())
PAYLOADS = DiscoveryPayloads(topics=Topics("iskra-server", "homeassistant"), language="en", version="1")


def known(**numbers: str) -> KnownMeter:
    meter = KnownMeter(SAMPLE, "House")
    meter.update(SAMPLE, {key: Decimal(value) for key, value in numbers.items()}, 60.0)
    return meter


def learns(meter: KnownMeter, stale_after_s: float = 60.0, **numbers: str) -> bool:
    return meter.update(SAMPLE, {key: Decimal(value) for key, value in numbers.items()}, stale_after_s)


def test_a_new_register_is_more_to_announce_and_a_known_one_is_not() -> None:
    meter = known(energy_import="12")
    assert not learns(meter, energy_import="13")
    assert learns(meter, energy_import="13", power="5")
    assert not learns(meter, energy_import="14")


def test_a_register_outside_the_table_is_announced_with_the_unit_that_it_came_with() -> None:
    meter = KnownMeter(SAMPLE, "House")
    content = sample(reading(("1-1:1.8.0", 1234, -1, WATT_HOUR)))
    numbers = {"1-1:1.8.0": Decimal("0.1234")}
    assert meter.update(content, numbers, 60.0, {"1-1:1.8.0": "kWh"})
    assert not meter.update(content, numbers, 60.0, {"1-1:1.8.0": "kWh"})
    assert (meter.places, meter.units) == ({"1-1:1.8.0": 4}, {"1-1:1.8.0": "kWh"})
    assert any("1-1_1_8_0" in topic for topic in meter.discovery(PAYLOADS, settings("mqtt://pi", discovery="classic")))


def test_so_many_registers_outside_the_table_are_announced_at_most() -> None:
    meter = KnownMeter(SAMPLE, "House")
    for number in range(200):
        meter.add_register(f"1-0:99.{number}.0", 1, "W")
        meter.add_register(f"1-0:98.{number}.0", 1)
    assert len(meter.places) == len(meter.units) == MAX_UNNAMED


def test_places_only_grow() -> None:
    meter = known(energy_import="12")
    assert learns(meter, energy_import="12.3456")
    assert not learns(meter, energy_import="13")
    assert meter.places == {"energy_import": 4}


def test_a_large_value_has_no_places() -> None:
    assert known(energy_import="1E+3").places == {"energy_import": 0}


def test_a_new_pace_is_announced_and_a_wobble_is_not() -> None:
    meter = known()
    assert not learns(meter, 60.0)
    assert not learns(meter, 40.0)
    assert learns(meter, 200.0)
    assert learns(meter, 60.0)


def test_entities_expire_behind_the_throttle() -> None:
    meter = known(energy_import="12", power="1")
    messages = meter.discovery(PAYLOADS, settings("mqtt://pi", counters_every_s=300.0))
    expire = {topic.split("/")[3]: json.loads(message).get("expire_after") for topic, message in messages.items()}
    diagnostic = {"signal_quality": 120, "locked": None, "problem": 120, "fault": None}
    assert expire == {"energy_import": 360, "power": 60} | diagnostic


def test_the_form_is_the_configured_one() -> None:
    meter = known(power="1")
    assert len(meter.discovery(PAYLOADS, settings("mqtt://pi"))) == 5
    assert list(meter.discovery(PAYLOADS, settings("mqtt://pi", discovery="device"))) == [
        f"homeassistant/device/{meter.id}/config"
    ]
    assert meter.discovery(PAYLOADS, settings("mqtt://pi", discovery="off")) == {}


def test_a_meter_without_a_server_id_has_a_name_in_topics() -> None:
    nameless = structs.replace(SAMPLE, reading=structs.replace(SAMPLE.reading, server_id=b""))
    assert hex_id(nameless) == "unknown"


def test_a_heat_meter_in_gj_is_announced_in_gj() -> None:
    _, gas, heat = submeters.p1_samples()
    for content, unit, value in ((gas, None, "1569.646"), (heat, "GJ", "12.345")):
        meter, numbers = KnownMeter(content, ""), numbers_of(content.reading)
        meter.update(content, numbers, 60.0, units(content.reading))
        (key,) = numbers
        assert numbers[key] == Decimal(value)
        assert meter.units.get(key) == unit
