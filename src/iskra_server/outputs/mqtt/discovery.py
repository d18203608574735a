"""Home Assistant's MQTT discovery: the entities of a meter, in the classic form or as one device.

An entity is available while the server is online, its meter is fresh, and its register is in the newest telegram.
Both forms have the same identity for Home Assistant: node and key of the classic topic, device and component of the
other; so it can be told to migrate. Only device classes that every supported release knows are named.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from iskra_server.meter.registers import BY_KEY, Description
from iskra_server.outputs.mqtt.settings import Language
from iskra_server.outputs.mqtt.state import code, described, is_counter, unit_of
from iskra_server.outputs.mqtt.topics import Topics

Config = dict[str, Any]
ORIGIN = "iskra-server"
MIGRATE = b'{"migrate_discovery":true}'
SENSOR, BINARY_SENSOR = "sensor", "binary_sensor"
# not among the device classes of 2024 and 2025
_NEW_CLASSES = frozenset(("reactive_energy",))
# what Home Assistant takes in the name of an entity in a topic
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")
_MAKERS = {"ISK": "ISKRA"}
_WORDS: Mapping[str, Mapping[Language, str]] = {
    "meter": {"en": "Electricity meter", "de": "Stromzähler"},
    "simulated": {"en": "simulated", "de": "simuliert"},
    "signal_quality": {"en": "Signal quality", "de": "Signalqualität"},
    "locked": {"en": "Locked (PIN)", "de": "Gesperrt (PIN)"},
}


class Device(Struct, frozen=True):
    """A meter as Home Assistant shows it; `id` is its server id in hex."""

    id: str
    label: str
    name: str
    maker: str | None
    family: str | None
    simulated: bool


class Entity(Struct, frozen=True):
    component: str
    key: str
    config: Config


class DiscoveryPayloads:
    """Writes the messages of discovery: retained topics and what stands in them."""

    def __init__(self, *, topics: Topics, language: Language, version: str) -> None:
        self._topics = topics
        self._language = language
        self._origin = {"name": ORIGIN, "sw_version": version}

    def classic(self, device: Device, entities: Iterable[Entity]) -> dict[str, bytes]:
        shared = {"device": self._device(device), "origin": self._origin}
        return {
            self._topics.entity(entity.component, device.id, entity.key): msgspec.json.encode(entity.config | shared)
            for entity in entities
        }

    def device(self, device: Device, entities: Iterable[Entity]) -> dict[str, bytes]:
        components = {entity.key: {"platform": entity.component} | entity.config for entity in entities}
        message = {"device": self._device(device), "origin": self._origin, "components": components}
        return {self._topics.device(device.id): msgspec.json.encode(message)}

    def entities(
        self,
        device: Device,
        digits: Mapping[str, int],
        units: Mapping[str, str] = {},
        *,
        expire_s: int,
        counters_expire_s: int,
        diagnostics_s: int,
    ) -> list[Entity]:
        """`digits` are the decimal places of each number that the meter has ever sent; it expires after `expire_s`."""
        sensors = [
            self._register(device, row, places, counters_expire_s if is_counter(key) else expire_s)
            for key, places in digits.items()
            if (row := BY_KEY.get(key) or described(key, units.get(key, "")))
        ]
        return [*sensors, self._signal_quality(device, diagnostics_s), self._locked(device)]

    def _register(self, device: Device, row: Description, places: int, expire_s: int) -> Entity:
        key, topics = row.key, self._topics
        in_state = f"value_json.{key}" if key in BY_KEY else f"value_json[{key!r}]"
        topic = topics.counters(device.id) if is_counter(key) else topics.state(device.id)
        config = self._named(device, key, row.de if self._language == "de" else row.en) | {
            "state_topic": topic,
            "value_template": f"{{{{ {in_state} | default(none) }}}}",
            "suggested_display_precision": places,
            "expire_after": expire_s,
            "availability": [
                {"topic": topics.server},
                {"topic": topics.availability(device.id)},
                # a meter that locks sends fewer registers
                {"topic": topic, "value_template": f"{{{{ 'online' if {key!r} in value_json else 'offline' }}}}"},
            ],
            "availability_mode": "all",
            "device_class": None if row.device_class in _NEW_CLASSES else row.device_class,
            "state_class": row.state_class,
            "unit_of_measurement": unit_of(key) if key in BY_KEY else row.unit,
        }
        return Entity(
            SENSOR, _NO_NAME.sub("_", key), {name: value for name, value in config.items() if value is not None}
        )

    def _signal_quality(self, device: Device, expire_s: int) -> Entity:
        known, share = "value_json is defined and value_json.valid_ratio is number", "value_json.valid_ratio"
        config = self._diagnostic(device, "signal_quality", "mdi:signal") | {
            "value_template": f"{{{{ ({share} * 100) | round(1) if {known} else none }}}}",
            "unit_of_measurement": "%",
            "state_class": "measurement",
            "suggested_display_precision": 1,
            "expire_after": expire_s,
        }
        return Entity(SENSOR, "signal_quality", config)

    def _locked(self, device: Device) -> Entity:
        known, locked = "value_json is defined and value_json.locked is boolean", "value_json.locked"
        config = self._diagnostic(device, "locked", "mdi:lock") | {
            "value_template": f"{{{{ ('ON' if {locked} else 'OFF') if {known} else none }}}}"
        }
        return Entity(BINARY_SENSOR, "locked", config)

    def _diagnostic(self, device: Device, key: str, icon: str) -> Config:
        """Its template bears the empty message of a meter that is removed: that may come before the entity goes."""
        return self._named(device, key, self._word(key)) | {
            "state_topic": self._topics.diagnostics(device.id),
            "availability": [{"topic": self._topics.server}],
            "entity_category": "diagnostic",
            "icon": icon,
        }

    def _named(self, device: Device, key: str, name: str) -> Config:
        return {"name": self._marked(device, name), "unique_id": f"iskra_{device.id}_{key}"}

    def _device(self, device: Device) -> Config:
        name = device.name or f"{self._word('meter')} {device.label}"
        known = {
            "identifiers": [f"iskra_{device.id}"],
            "name": self._marked(device, name),
            "manufacturer": _MAKERS.get(device.maker or "", device.maker),
            "model": device.family,
            "serial_number": device.label,
        }
        return {key: value for key, value in known.items() if value}

    def _marked(self, device: Device, name: str) -> str:
        return f"{name} ({self._word('simulated')})" if device.simulated else name

    def _word(self, key: str) -> str:
        return _WORDS[key][self._language]


class _Origin(Struct, frozen=True):
    name: str = ""


class _Known(Struct, frozen=True):
    """What is read back of a message of discovery."""

    origin: _Origin = _Origin()
    unique_id: str = ""
    places: int = msgspec.field(name="suggested_display_precision", default=0)
    unit: str = msgspec.field(name="unit_of_measurement", default="")
    components: dict[str, "_Known"] = {}


def own_digits(messages: Mapping[str, bytes]) -> dict[str, dict[str, int]]:
    """Of retained messages of discovery those that are ours: their topics, and the decimal places of each register."""
    return {topic: {key: part.places for key, part in parts.items()} for topic, parts in _own(messages)}


def own_units(messages: Mapping[str, bytes]) -> dict[str, str]:
    """The unit of each register in our retained messages of discovery."""
    return {key: part.unit for _, parts in _own(messages) for key, part in parts.items()}


def _own(messages: Mapping[str, bytes]) -> Iterator[tuple[str, dict[str, _Known]]]:
    for topic, payload in messages.items():
        try:
            known = msgspec.json.decode(payload, type=_Known)
        except (msgspec.MsgspecError, RecursionError):
            # not JSON of ours, or a depth that nobody means
            continue
        if known.origin.name == ORIGIN:
            parts = known.components or {topic.split("/")[-2]: known}
            named = ((_key(name, part), part) for name, part in parts.items())
            yield topic, {key: part for key, part in named if key}


def _key(name: str, part: _Known) -> str | None:
    """The name of the register of an entity; one outside the table has its code at the end of its unique id."""
    end = part.unique_id.rpartition("_")[2]
    return name if name in BY_KEY else end if code(end) else None
