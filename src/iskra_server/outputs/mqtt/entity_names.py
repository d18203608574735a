"""What devices and entities are called in Home Assistant, in English and German, by which ids, and how they read JSON.

The unique id never changes: Home Assistant finds an entity by it, and keeps its entity id. `default_entity_id` (from
2025.10 on, older releases ignore it) is that of a new entity, in both languages from its English name. Home Assistant
warns of its predecessor `object_id`, which is not sent.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from iskra_server.base.language import Language
from iskra_server.meter.medium import Medium

Config = dict[str, Any]
SENSOR, BINARY_SENSOR, EVENT = "sensor", "binary_sensor", "event"

_NOT_IN_ID = re.compile(r"[^a-z0-9]+")
WORDS: Mapping[str, Mapping[Language, str]] = {
    "electricity": {"en": "Electricity meter", "de": "Stromzähler"},
    "gas": {"en": "Gas meter", "de": "Gaszähler"},
    "water": {"en": "Water meter", "de": "Wasserzähler"},
    "heat": {"en": "Heat meter", "de": "Wärmezähler"},
    "cooling": {"en": "Cooling meter", "de": "Kältezähler"},
    "other": {"en": "Meter", "de": "Zähler"},
    "simulated": {"en": "simulated", "de": "simuliert"},
    # of a sub-meter
    "reading": {"en": "Meter reading", "de": "Zählerstand"},
    "signal_quality": {"en": "Signal quality", "de": "Signalqualität"},
    "locked": {"en": "Locked (PIN)", "de": "Gesperrt (PIN)"},
    "problem": {"en": "Problem", "de": "Problem"},
    "fault": {"en": "Fault", "de": "Störung"},
    "energy_import_today": {"en": "Energy import today", "de": "Bezug heute"},
    "energy_import_month": {"en": "Energy import this month", "de": "Bezug diesen Monat"},
    "energy_export_today": {"en": "Energy export today", "de": "Einspeisung heute"},
    "energy_export_month": {"en": "Energy export this month", "de": "Einspeisung diesen Monat"},
    "cost_today": {"en": "Cost today", "de": "Kosten heute"},
    "cost_per_hour": {"en": "Cost per hour", "de": "Kosten pro Stunde"},
    "cost_month": {"en": "Cost this month", "de": "Kosten diesen Monat"},
    "price_import": {"en": "Electricity price", "de": "Strompreis"},
    "cheapest_1h": {"en": "Cheapest hour begins", "de": "Günstigste Stunde ab"},
    "cheapest_2h": {"en": "Cheapest 2 hours begin", "de": "Günstigste 2 Stunden ab"},
    "cheapest_3h": {"en": "Cheapest 3 hours begin", "de": "Günstigste 3 Stunden ab"},
    "cheapest_4h": {"en": "Cheapest 4 hours begin", "de": "Günstigste 4 Stunden ab"},
    "price_export": {"en": "Feed-in tariff", "de": "Einspeisevergütung"},
}


class Device(Struct, frozen=True):
    """A meter as Home Assistant shows it; `id` is its server id in hex.

    Not `has_diagnosis`: no source reads it, as it is virtual.
    """

    id: str
    label: str
    name: str
    maker: str | None
    family: str | None
    simulated: bool
    medium: Medium = "electricity"
    is_sub_meter: bool = False
    has_diagnosis: bool = True


class Entity(Struct, frozen=True):
    component: str
    key: str
    config: Config


def device_name(device: Device, language: Language) -> str:
    return _marked(device, device.name or f"{WORDS[device.medium][language]} {device.label}", language)


def identity_of(
    device: Device, component: str, key: str, language: Language, names: Mapping[Language, str] | None = None
) -> Config:
    """Name and ids of an entity; `names` are those of a register."""
    names = names or WORDS[key]
    return {
        "name": _marked(device, names[language], language),
        "unique_id": f"iskra_{device.id}_{key}",
        "default_entity_id": f"{component}.{_slug(device_name(device, 'en')) or device.id}_{_slug(names['en'])}",
    }


def value_template(key: str) -> str:
    """The number, or none in a message without it; also in the empty one with which a topic is deleted."""
    return f"{{{{ value_json[{key!r}] if {_is_sent(key)} else none }}}}"


def state_of(key: str, topic: str, *needed: str) -> Config:
    """The value of a key in the newest message of a topic. Without it, or what is `needed`, the entity is unavailable.

    `needed`: topics of availability.
    """
    template = f"{{{{ 'online' if {_is_sent(key)} else 'offline' }}}}"
    return {
        "state_topic": topic,
        "value_template": value_template(key),
        "availability": [*({"topic": name} for name in needed), {"topic": topic, "value_template": template}],
        "availability_mode": "all",
    }


def _is_sent(key: str) -> str:
    return f"value_json is defined and {key!r} in value_json"


def _marked(device: Device, name: str, language: Language) -> str:
    return f"{name} ({WORDS['simulated'][language]})" if device.simulated else name


def _slug(name: str) -> str:
    """As Home Assistant makes an id of a name: ä becomes a."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return _NOT_IN_ID.sub("_", plain.lower()).strip("_")
