from typing import Any

import pytest

from iskra_server.homeassistant.our_sensors import OurSensor, find, sensor_of


def statistic(
    entity: str, unit: str | None = "kWh", *, has_sum: bool = True, source: str = "recorder"
) -> dict[str, Any]:
    """As recorder/list_statistic_ids gives it; older releases have no mean_type."""
    return {
        "statistic_id": entity,
        "statistics_unit_of_measurement": unit,
        "unit_class": "energy" if has_sum else "power",
        "has_sum": has_sum,
        "has_mean": not has_sum,
        "name": None,
        "source": source,
    }


@pytest.mark.parametrize(
    ("platform", "unique_id", "meter", "key"),
    [
        ("mqtt", "iskra_0901454d480000b91f8c_energy_import", "0901454d480000b91f8c", "energy_import"),
        ("iskra_server", "1isk0012345678_energy_export", "1isk0012345678", "energy_export"),
        ("rest", "1isk0012345678_energy_import_t1", "1isk0012345678", "energy_import_t1"),
        ("rest", "iskra_electricity_total", None, "energy_import"),
    ],
)
def test_sensors_are_recognised_by_their_unique_ids(platform: str, unique_id: str, meter: str | None, key: str) -> None:
    entity = {"entity_id": "sensor.renamed", "unique_id": unique_id, "platform": platform}
    assert list(find([entity], [statistic("sensor.renamed")])) == [
        OurSensor("sensor.renamed", meter, key, "energy", "kWh", "energy", None)
    ]


@pytest.mark.parametrize(
    "entity",
    [
        {"entity_id": "sensor.other", "unique_id": "iskra_0901_energy_import", "platform": "mqtt"},
        {"entity_id": "sensor.known", "unique_id": "iskra_0901_energy_import", "platform": "template"},
        {"entity_id": "sensor.known", "unique_id": "shelly_0901_energy", "platform": "mqtt"},
        {"entity_id": "sensor.known", "unique_id": 7, "platform": "rest"},
    ],
)
def test_others_are_not(entity: dict[str, Any]) -> None:
    assert list(find([entity], [statistic("sensor.known")])) == []


def test_energy_without_a_sum_and_other_units_cannot_be_filled() -> None:
    assert sensor_of(statistic("sensor.a", has_sum=False), None, "energy_import") is None
    assert sensor_of(statistic("sensor.a", "°C", has_sum=False), None, "power") is None
    assert sensor_of(statistic("sensor.a", None), None, "energy_import") is None
    # power of a phase is not in the server's history
    assert sensor_of(statistic("sensor.a", "W", has_sum=False), None, "power_l1") is None
    power = sensor_of(statistic("sensor.a", "kW", has_sum=False), None, "power_import")
    assert power and (power.kind, power.unit) == ("power", "kW")
