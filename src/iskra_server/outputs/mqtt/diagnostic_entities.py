"""Entities that say how a meter is read: signal quality, lock state, problem and fault.

All but the fault get their state from the topic of diagnostics. Their templates accept an empty message: a removed
meter sends one before its entities are gone. A server that is down is unavailable, which is neither a problem nor none.
"""

from iskra_server.base.language import Language
from iskra_server.outputs.mqtt.entity_names import BINARY_SENSOR, EVENT, SENSOR, Config, Device, Entity, identity_of
from iskra_server.outputs.mqtt.problems import FAULT, RECOVERED
from iskra_server.outputs.mqtt.topics import Topics

_ATTRIBUTES = ("sentence", "failed_check", "source", "port")


def diagnostic_entities(topics: Topics, device: Device, language: Language, *, expire_s: int) -> list[Entity]:
    """`expire_s`: so many seconds without a message, and they are unavailable."""
    return [
        _signal_quality(topics, device, language, expire_s),
        _locked(topics, device, language),
        _problem(topics, device, language, expire_s),
        _fault(topics, device, language),
    ]


def _signal_quality(topics: Topics, device: Device, language: Language, expire_s: int) -> Entity:
    ratio = "value_json.valid_ratio"
    is_known = f"value_json is defined and {ratio} is number"
    config = _of_diagnostics(topics, device, SENSOR, "signal_quality", language) | {
        "value_template": f"{{{{ ({ratio} * 100) | round(1) if {is_known} else none }}}}",
        "unit_of_measurement": "%",
        "state_class": "measurement",
        "suggested_display_precision": 1,
        "expire_after": expire_s,
        "icon": "mdi:signal",
    }
    return Entity(SENSOR, "signal_quality", config)


def _locked(topics: Topics, device: Device, language: Language) -> Entity:
    config = _of_diagnostics(topics, device, BINARY_SENSOR, "locked", language) | {
        "value_template": _on_or_off("locked"),
        "icon": "mdi:lock",
    }
    return Entity(BINARY_SENSOR, "locked", config)


def _problem(topics: Topics, device: Device, language: Language, expire_s: int) -> Entity:
    """Unavailable while it is not decided whether there is one."""
    topic = topics.diagnostics(device.id)
    attributes = ", ".join(f"{name!r}: value_json.{name} | default(none)" for name in _ATTRIBUTES)
    is_decided = "value_json is defined and value_json.problem is boolean"
    config = _of_diagnostics(topics, device, BINARY_SENSOR, "problem", language) | {
        "value_template": _on_or_off("problem"),
        "device_class": "problem",
        "expire_after": expire_s,
        "json_attributes_topic": topic,
        "json_attributes_template": (
            f"{{{{ ({{{attributes}}} if value_json is defined and value_json is mapping else {{}}) | tojson }}}}"
        ),
        "availability": [
            {"topic": topics.server},
            {"topic": topic, "value_template": f"{{{{ 'online' if {is_decided} else 'offline' }}}}"},
        ],
        "availability_mode": "all",
    }
    return Entity(BINARY_SENSOR, "problem", config)


def _fault(topics: Topics, device: Device, language: Language) -> Entity:
    config = identity_of(device, EVENT, "fault", language) | {
        "state_topic": topics.event(device.id),
        "event_types": [FAULT, RECOVERED],
        "availability": [{"topic": topics.server}],
        "entity_category": "diagnostic",
        "icon": "mdi:alert-circle-outline",
    }
    return Entity(EVENT, "fault", config)


def _of_diagnostics(topics: Topics, device: Device, component: str, key: str, language: Language) -> Config:
    return identity_of(device, component, key, language) | {
        "state_topic": topics.diagnostics(device.id),
        "availability": [{"topic": topics.server}],
        "entity_category": "diagnostic",
    }


def _on_or_off(key: str) -> str:
    is_known = f"value_json is defined and value_json.{key} is boolean"
    return f"{{{{ ('ON' if value_json.{key} else 'OFF') if {is_known} else none }}}}"
