"""What comes besides registers: gas, water and heat, energy and cost of today and of this month, problems.

A second server at the same broker, in the cellar. It is gone at the end, and its entities by MQTT are unavailable;
those of the integration, which shows energy and cost as well, are removed.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import pytest

from homeassistant import cellar, forms
from homeassistant.cellar import BASE_TOPIC, MONTH_WH, NAME, NEXT_PRICE, PORT, PRICE, READINGS, TODAY_WH, Cellar
from homeassistant.entities import BY_MQTT, BY_OURS, UNAVAILABLE, complaints, grid, young
from homeassistant.home import Home
from homeassistant.instance import EVERY_S, NUMBER, HomeAssistant
from outputs.mqtt.broker import Subscriber
from running import until

SOON_S = 120.0
# a busy machine needs some seconds until a telegram has come by the new clock
BEFORE_MIDNIGHT_S = 30


# as an earlier version of the server announced it
SERVER_ID = NAME.encode().hex()
EARLIER_ID = f"sensor.electricity_meter_{NAME.lower()}_active_power_net_sum"
EARLIER = {
    "name": "Active power, net sum",
    "unique_id": f"iskra_{SERVER_ID}_power",
    "state_topic": f"{BASE_TOPIC}/{SERVER_ID}/state",
    "value_template": "{{ value_json.power | default(none) }}",
    "device_class": "power",
    "state_class": "measurement",
    "unit_of_measurement": "W",
    "device": {"identifiers": [f"iskra_{SERVER_ID}"], "name": f"Electricity meter {NAME}"},
    "origin": {"name": "iskra-server"},
}


@pytest.fixture(scope="module")
def below(house: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cellar]:
    with Subscriber(house.broker.port, address=house.broker.address) as publisher:
        publisher.say(f"homeassistant/sensor/{SERVER_ID}/power/config", json.dumps(EARLIER), retain=True)
    for assistant in house.assistants:
        until(lambda: EARLIER_ID in assistant.entities(BY_MQTT).values(), SOON_S, EVERY_S)  # noqa: B023
    with cellar.cellar(house, tmp_path_factory.mktemp("cellar")) as made:
        for assistant in house.assistants:
            # by MQTT first: it gets the entity ids without a number behind
            until(lambda: state(assistant, "cost_today")["state"], SOON_S, EVERY_S)  # noqa: B023
        added = [(one, forms.add(one, host=house.pi.address, port=PORT)) for one in young(house)]
        for assistant, entry in added:
            forms.set_options(assistant, entry, update_every_s=0)
        yield made
        for assistant, entry in added:
            forms.remove(assistant, entry)


def entity(assistant: HomeAssistant, key: str, name: str = NAME) -> str:
    return assistant.entities(BY_MQTT)[f"iskra_{name.encode().hex()}_{key}"]


def state(assistant: HomeAssistant, key: str, name: str = NAME) -> dict[str, Any]:
    """With its attributes; its state is empty before there is one."""
    unique_id = f"iskra_{name.encode().hex()}_{key}"
    found = assistant.states().get(assistant.entities(BY_MQTT).get(unique_id, ""), {})
    return {"state": ""} | found


def is_read(assistant: HomeAssistant) -> bool:
    return bool(state(assistant, "problem")["attributes"].get("sentence") == "The meter is being read.")


def number(assistant: HomeAssistant, key: str, name: str = NAME) -> Decimal | None:
    return decimal(state(assistant, key, name))


def ours(assistant: HomeAssistant, key: str) -> dict[str, Any]:
    """The same of an entity of the integration."""
    found = assistant.states().get(assistant.entities(BY_OURS).get(f"{NAME.lower()}_{key}", ""), {})
    return {"state": ""} | found


def past(assistant: HomeAssistant, entity_id: str) -> list[Decimal]:
    """Every number that it has shown, once where it stayed."""
    texts = assistant.past(entity_id)
    return [value for value, _ in groupby(Decimal(text) for text in texts if NUMBER.fullmatch(text))]


def shows(house: Home, expected: dict[str, Decimal]) -> None:
    for assistant in house.assistants:
        try:
            until(lambda: {key: number(assistant, key) for key in expected} == expected, SOON_S, EVERY_S)  # noqa: B023
        except AssertionError:
            raise AssertionError({key: state(assistant, key) for key in expected}) from None


def ours_show(house: Home, expected: dict[str, Decimal]) -> None:
    for assistant in young(house):
        try:
            until(lambda: {key: decimal(ours(assistant, key)) for key in expected} == expected, SOON_S, EVERY_S)  # noqa: B023
        except AssertionError:
            raise AssertionError({key: ours(assistant, key) for key in expected}) from None


def decimal(found: dict[str, Any]) -> Decimal | None:
    return Decimal(found["state"]) if NUMBER.fullmatch(found["state"]) else None


def test_energy_of_today_and_this_month_is_exact(house: Home, below: Cellar) -> None:
    today, month = (below.kwh - Decimal(wh) / 1000 for wh in (TODAY_WH, MONTH_WH))
    shows(house, {"energy_import_today": today, "energy_import_month": month})
    ours_show(house, {"energy_import_today": today, "energy_import_month": month})
    for assistant in young(house):
        attributes = ours(assistant, "energy_import_today")["attributes"]
        assert (attributes["device_class"], attributes["state_class"]) == ("energy", "total")
        assert attributes["last_reset"] == state(assistant, "energy_import_today")["attributes"]["last_reset"]
        assert attributes["friendly_name"].endswith("Energy import today")
        # exported energy is not in that history
        assert ours(assistant, "energy_export_today") == {"state": ""}
    for assistant in house.assistants:
        found = state(assistant, "energy_import_today")
        # as the newer releases get it told, in both languages
        assert found["entity_id"] == f"sensor.electricity_meter_{NAME.lower()}_energy_import_today"
        attributes = found["attributes"]
        assert (attributes["device_class"], attributes["state_class"]) == ("energy", "total")
        assert attributes["unit_of_measurement"] == "kWh"
        assert attributes["last_reset"].endswith(("T00:00:00+01:00", "T00:00:00+02:00"))
        assert "measured_since" not in attributes
        # exported energy is not in that history
        assert state(assistant, "energy_export_today")["state"] == UNAVAILABLE


def test_an_entity_of_an_earlier_version_keeps_its_id_and_gets_the_new_name(house: Home, below: Cellar) -> None:
    shows(house, {"power": Decimal(321)})
    for assistant in house.assistants:
        assert entity(assistant, "power") == EARLIER_ID
        assert state(assistant, "power")["attributes"]["friendly_name"] == f"Electricity meter {NAME} Power"


def test_gas_water_and_heat_are_meters_of_their_own(house: Home, below: Cellar) -> None:
    classes = {"gas": ("gas", "m³"), "water": ("water", "m³"), "heat": ("energy", "GJ")}
    for assistant in house.assistants:
        for channel, (medium, reading) in enumerate(READINGS.items(), start=1):
            key, name = f"mbus{channel}_reading", cellar.device(medium)
            until(lambda: number(assistant, key, name) == Decimal(reading), SOON_S, EVERY_S)  # noqa: B023
            attributes = state(assistant, key, name)["attributes"]
            assert (attributes["device_class"], attributes["unit_of_measurement"]) == classes[medium]
            assert attributes["state_class"] == "total_increasing"


def test_the_energy_dashboard_takes_price_gas_and_water(house: Home, below: Cellar) -> None:
    prices = {"price_import": PRICE, "price_export": Decimal("0.08")}
    shows(house, prices)
    ours_show(house, prices)
    for assistant in young(house):
        attributes = ours(assistant, "price_import")["attributes"]
        assert (attributes["unit_of_measurement"], attributes["state_class"]) == ("EUR/kWh", "measurement")
        first, *_, last = (Decimal(str(rate["value"])) for rate in attributes["rates"])
        assert (first, last) == (PRICE, NEXT_PRICE)
        cheapest = ours(assistant, "cheapest_1h")
        assert datetime.fromisoformat(cheapest["state"]) == below.next_day
        assert Decimal(str(cheapest["attributes"]["price"])) == NEXT_PRICE
    for assistant in house.assistants:
        # by MQTT where there is no integration
        by_mqtt, by_ours = entity(assistant, "price_import"), ours(assistant, "price_import").get("entity_id")
        sources = [
            *grid(assistant, entity(assistant, "energy_import"), price=by_ours or by_mqtt),
            source("gas", entity(assistant, "mbus1_reading", cellar.device("gas"))),
            source("water", entity(assistant, "mbus2_reading", cellar.device("water"))),
        ]
        assistant.ask("energy/save_prefs", energy_sources=sources)
        issues = [issue for source in assistant.ask("energy/validate")["energy_sources"] for issue in source]
        # the first ones are made at a full five minutes
        assert [issue for issue in issues if issue["type"] != "statistics_not_defined"] == []


def test_cost_is_that_of_history(house: Home, below: Cellar) -> None:
    measured = (Decimal(cellar.NEWEST_WH - wh) / 1000 * PRICE for wh in (TODAY_WH, MONTH_WH))
    costs = dict(zip(("cost_today", "cost_month"), measured, strict=True))
    shows(house, costs)
    ours_show(house, costs)
    for assistant in young(house):
        attributes = ours(assistant, "cost_today")["attributes"]
        assert (attributes["device_class"], attributes["unit_of_measurement"]) == ("monetary", "EUR")
    for assistant in house.assistants:
        attributes = state(assistant, "cost_today")["attributes"]
        assert (attributes["device_class"], attributes["unit_of_measurement"]) == ("monetary", "EUR")


@pytest.mark.slow
def test_the_integration_begins_the_next_day_with_what_history_has_at_midnight(house: Home, below: Cellar) -> None:
    today = below.kwh - Decimal(TODAY_WH) / 1000
    below.restart(timedelta(days=1, seconds=5), "001234.577")
    # counted while nobody looked: some before midnight, and some behind
    until(lambda: "T00:00:00" in at_midnight(below).get("at", ""), SOON_S)
    counted = Decimal(at_midnight(below)["register_wh"]) / 1000
    key, ended, begun = "energy_import_today", counted - Decimal(TODAY_WH) / 1000, below.kwh - counted
    assert today < ended < today + Decimal("0.010")
    ours_show(house, {key: begun, "cost_today": Decimal(0)})
    for assistant in young(house):
        expected = [today, ended, begun]
        until(lambda: past(assistant, ours(assistant, key)["entity_id"])[-1] == begun, SOON_S, EVERY_S)  # noqa: B023
        assert past(assistant, ours(assistant, key)["entity_id"]) == expected


@pytest.mark.slow
def test_a_day_ends_complete_before_the_next_begins(house: Home, below: Cellar) -> None:
    today = below.kwh - Decimal(at_midnight(below)["register_wh"]) / 1000
    shows(house, {"energy_import_today": today})
    below.set_clock(timedelta(days=2, seconds=-BEFORE_MIDNIGHT_S))
    # 1 Wh within half a second: the guard holds back much more
    below.meter.import_kwh = "001234.578"
    shows(house, {"energy_import_today": today + Decimal("0.001")})
    shows(house, {"energy_import_today": Decimal(0)})
    below.meter.import_kwh = "001234.579"
    shows(house, {"energy_import_today": Decimal("0.001")})
    for assistant in house.assistants:
        expected = [today, today + Decimal("0.001"), Decimal(0), Decimal("0.001")]
        counter = entity(assistant, "energy_import_today")
        # the newest is recorded within seconds
        until(lambda: past(assistant, counter)[-1] == expected[-1], SOON_S, EVERY_S)  # noqa: B023
        assert past(assistant, counter)[-len(expected) :] == expected


@pytest.mark.slow
def test_a_problem_is_told_with_its_sentence_and_as_an_event(house: Home, below: Cellar) -> None:
    for assistant in house.assistants:
        until(lambda: state(assistant, "problem")["state"] == "off", SOON_S, EVERY_S)  # noqa: B023
        # its clock was set, and the sentence says so for two minutes
        until(lambda: is_read(assistant), 3 * SOON_S, EVERY_S)  # noqa: B023
    below.meter.is_silent = True
    for assistant in house.assistants:
        until(lambda: state(assistant, "problem")["state"] == "on", 2 * SOON_S, EVERY_S)  # noqa: B023
        problem = state(assistant, "problem")["attributes"]
        assert (problem["device_class"], problem["failed_check"]) == ("problem", "data")
        until(lambda: state(assistant, "fault")["attributes"].get("event_type") == "fault", SOON_S, EVERY_S)  # noqa: B023
        assert state(assistant, "fault")["attributes"]["sentence"] == problem["sentence"]


def test_a_server_that_is_down_does_not_say_that_all_is_well(house: Home, below: Cellar) -> None:
    below.server.process.kill()
    keys = ("problem", "fault", "energy_import_today", "cost_today", "price_import")
    for assistant in house.assistants:
        until(lambda: {state(assistant, key)["state"] for key in keys} == {UNAVAILABLE}, SOON_S, EVERY_S)  # noqa: B023
        if assistant.has_ours:
            sums = ("energy_import_today", "cost_month")
            until(lambda: {ours(assistant, key)["state"] for key in sums} == {UNAVAILABLE}, SOON_S, EVERY_S)  # noqa: B023
        assert complaints(assistant) == []


def at_midnight(below: Cellar) -> dict[str, Any]:
    """The newest reading of the total in history, at most that of the midnight before; empty before the first one."""
    answer = below.server.get(f"/api/v1/meters/{NAME}/registers?at=today").json(parse_float=Decimal)
    return next((value for value in answer.get("values", ()) if value["name"] == "energy_import"), {})


def source(kind: str, counted: str) -> dict[str, object]:
    none: dict[str, object] = dict.fromkeys(("stat_cost", "entity_energy_price", "number_energy_price"))
    return {"type": kind, "stat_energy_from": counted} | none
