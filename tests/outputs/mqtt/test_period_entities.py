"""Entities of today, of this month, and of prices."""

from datetime import date
from decimal import Decimal
from typing import Any

from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import SpotShare, Tariff, Terms
from iskra_server.outputs.mqtt.entity_names import Device
from iskra_server.outputs.mqtt.period_entities import cost_entities, energy_entities
from iskra_server.outputs.mqtt.topics import Topics

DEVICE = Device("0a01", "1 ISK 00 70347617", "", "ISK", None, simulated=False)
TOPICS = Topics("iskra-server", "homeassistant")
CONTRACT = Contract(begins=date(2026, 1, 1), energy_price=Decimal("0.3265"))
FEED_IN = Contract(begins=date(2026, 6, 1), energy_price=Decimal("0.30"), feed_in=Decimal("0.08"), currency="CHF")


def energies(places: dict[str, int]) -> dict[str, Any]:
    return {each.key: each.config for each in energy_entities(TOPICS, DEVICE, "en", places, expire_s=70)}


def costs(*contracts: Contract, has_history: bool = True, has_power: bool = False) -> dict[str, Any]:
    made = cost_entities(TOPICS, DEVICE, "de", contracts, has_history=has_history, has_power=has_power, expire_s=40)
    return {each.key: each.config for each in made}


def test_periods_of_the_counters_that_a_meter_sends() -> None:
    assert energies({"power": 0}) == {}
    assert list(energies({"energy_import": 4})) == ["energy_import_today", "energy_import_month"]
    assert len(energies({"energy_import": 4, "energy_export": 4})) == 4


def test_a_period_begins_anew_at_its_last_reset() -> None:
    config = energies({"energy_import": 4})["energy_import_month"]
    assert (config["device_class"], config["state_class"], config["unit_of_measurement"]) == ("energy", "total", "kWh")
    assert "value_json.month_begins" in config["last_reset_value_template"]
    assert (config["suggested_display_precision"], config["expire_after"]) == (4, 70)


def test_a_price_is_what_the_energy_dashboard_takes() -> None:
    made = costs(CONTRACT)
    assert list(made) == ["price_import", "cost_today", "cost_month"]
    assert made["price_import"]["name"] == "Strompreis"
    assert made["price_import"]["unit_of_measurement"] == "EUR/kWh"
    # Home Assistant allows the class monetary for amounts alone
    assert "device_class" not in made["price_import"]


def test_the_cost_per_hour_comes_with_the_state_and_needs_power() -> None:
    config = costs(FEED_IN, has_power=True)["cost_per_hour"]
    assert (config["name"], config["unit_of_measurement"]) == ("Kosten pro Stunde", "CHF/h")
    assert (config["state_topic"], config["expire_after"]) == ("iskra-server/0a01/state", 40)
    assert "cost_per_hour" not in costs(FEED_IN) and "cost_per_hour" not in costs(has_power=True)


def test_cost_is_an_amount_of_the_currency() -> None:
    made = costs(FEED_IN)
    assert list(made) == ["price_import", "price_export", "cost_today", "cost_month"]
    cost = made["cost_today"]
    assert (cost["device_class"], cost["state_class"], cost["unit_of_measurement"]) == ("monetary", "total", "CHF")


def test_a_cost_that_is_unknown_says_of_how_much_energy() -> None:
    config = costs(SPOT)["cost_month"]
    assert config["json_attributes_topic"] == "iskra-server/0a01/cost"
    assert "value_json.cost_month_unpriced_kwh" in config["json_attributes_template"]


def test_the_cost_of_a_silent_meter_is_unavailable_and_its_price_is_not() -> None:
    made = costs(CONTRACT)
    topics = {key: [each["topic"] for each in config["availability"]] for key, config in made.items()}
    assert topics["price_import"] == ["iskra-server/availability", "iskra-server/0a01/cost"]
    assert topics["cost_today"] == [*topics["price_import"], "iskra-server/0a01/availability"]


def test_without_a_contract_there_is_neither_and_without_history_no_cost() -> None:
    assert costs() == {}
    assert list(costs(CONTRACT, has_history=False)) == ["price_import"]


SPOT = Contract(
    begins=date(2026, 1, 1),
    terms=Terms(energy=Tariff(spot=SpotShare(zone="DE-LU")), feed_in=Tariff(price=Decimal("0.08"))),
)


def test_the_cheapest_hours_are_moments_where_the_price_changes() -> None:
    made = costs(SPOT)
    assert list(made) == [
        *("price_import", "price_export", "cheapest_1h", "cheapest_2h", "cheapest_3h", "cheapest_4h"),
        *("cost_today", "cost_month"),
    ]
    cheapest = made["cheapest_2h"]
    assert (cheapest["name"], cheapest["device_class"]) == ("Günstigste 2 Stunden ab", "timestamp")
    assert cheapest["state_topic"] == cheapest["json_attributes_topic"] == "iskra-server/0a01/prices"
    assert "value_json.cheapest_2h_ends" in cheapest["json_attributes_template"]


def test_the_price_has_those_ahead_as_attributes_only_where_it_changes() -> None:
    assert costs(SPOT)["price_import"]["json_attributes_topic"] == "iskra-server/0a01/prices"
    assert "json_attributes_topic" not in costs(FEED_IN)["price_import"]
