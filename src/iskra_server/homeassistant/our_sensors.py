"""Our sensors in Home Assistant: by MQTT, by the integration and by the YAML, recognised by their unique ids."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct

from iskra_server.homeassistant.gaps import ENERGY_UNITS
from iskra_server.homeassistant.recorded import POWER_KEYS, POWER_UNITS

# iskra_0a01..._energy_import by MQTT, 1isk0012345678_energy_import by the integration and the YAML
_BY_SERVER_ID = re.compile(r"iskra_([0-9a-f]{4,})_([a-z0-9_]+)")
_BY_LABEL = re.compile(r"([0-9]+[a-z]{3}[0-9]{6,})_([a-z0-9_]+)")
# the total of the first meter, in the YAML
_TOTAL = "iskra_electricity_total"
_PLATFORMS = ("mqtt", "iskra_server", "rest")
TOTAL_KEY = "energy_import"


class OurSensor(Struct, frozen=True):
    """`id` is that of the entity and of its statistics; `unit` is the unit that these are stored in.

    meter  the label or server id, None for the first meter
    key    of the register: energy_import, power, ...
    """

    id: str
    meter: str | None
    key: str
    kind: Literal["energy", "power"]
    unit: str
    unit_class: str
    name: str | None


def sensor_of(statistic: Mapping[str, Any], meter: str | None, key: str) -> OurSensor | None:
    """The sensor with these statistics, from Home Assistant's list of them; None if they are not ours to fill."""
    unit = statistic["statistics_unit_of_measurement"]
    kind: Literal["energy", "power"]
    if unit in ENERGY_UNITS and statistic["has_sum"]:
        kind = "energy"
    elif unit in POWER_UNITS and key in POWER_KEYS:
        kind = "power"
    else:
        return None
    unit_class = statistic.get("unit_class") or kind
    return OurSensor(statistic["statistic_id"], meter, key, kind, unit, unit_class, statistic.get("name"))


def find(entities: Iterable[Mapping[str, Any]], statistics: Iterable[Mapping[str, Any]]) -> Iterator[OurSensor]:
    """Of Home Assistant's entities and statistics, those that are our counters and our power."""
    by_id = {statistic["statistic_id"]: statistic for statistic in statistics if statistic["source"] == "recorder"}
    for entity in entities:
        found = _meter_and_key(str(entity["unique_id"])) if entity["platform"] in _PLATFORMS else None
        statistic = by_id.get(entity["entity_id"])
        if found and statistic and (sensor := sensor_of(statistic, *found)):
            yield sensor


def _meter_and_key(unique_id: str) -> tuple[str | None, str] | None:
    if unique_id == _TOTAL:
        return None, TOTAL_KEY
    match = _BY_SERVER_ID.fullmatch(unique_id) or _BY_LABEL.fullmatch(unique_id)
    return (match[1], match[2]) if match else None
