"""Repair issues: what only a person can mend, in the language of Home Assistant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .const import DOMAIN, NO_DATA_AFTER_S
from .wording import sentence

if TYPE_CHECKING:
    from datetime import datetime

    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from .coordinator import Coordinator
    from .model import Meter

_MQTT: Final = "mqtt"


class Issues:
    """The issues of one config entry. `update` creates and deletes them."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._coordinator = coordinator
        self._open: set[str] = set()
        self._shown_twice: set[str] = set()

    def update(self) -> None:
        wanted: dict[str, tuple[str, dict[str, str]]] = {}
        mqtt_devices = _mqtt_devices(self._coordinator.hass)
        for meter in self._coordinator.meters.values():
            for key, placeholders in self._of(meter, mqtt_devices).items():
                wanted[f"{key}_{meter.id}"] = key, {"meter": meter.id, **placeholders}
        lost_at = self._coordinator.lost_at
        if lost_at and _is_long_ago(lost_at) and not self._coordinator.is_another:
            placeholders = {"server": str(self._coordinator.client.url), "since": _local(lost_at)}
            wanted[f"no_connection_{self._coordinator.entry.entry_id}"] = "no_connection", placeholders
        for meter_id in self._shown_twice:
            wanted[f"two_servers_{meter_id}"] = "two_servers", {"meter": meter_id}
        hass = self._coordinator.hass
        for issue_id in self._open - wanted.keys():
            ir.async_delete_issue(hass, DOMAIN, issue_id)
        for issue_id, (key, placeholders) in wanted.items():
            ir.async_create_issue(
                hass,
                DOMAIN,
                issue_id,
                is_fixable=False,
                severity=ir.IssueSeverity.WARNING,
                translation_key=key,
                translation_placeholders=placeholders,
            )
        self._open = set(wanted)

    def set_shown_twice(self, meter_id: str, is_shown: bool) -> None:
        """Whether another entry shows this meter already."""
        if is_shown != (meter_id in self._shown_twice):
            self._shown_twice ^= {meter_id}
            self.update()

    def clear(self) -> None:
        for issue_id in self._open:
            ir.async_delete_issue(self._coordinator.hass, DOMAIN, issue_id)
        self._open.clear()

    def _of(self, meter: Meter, mqtt_devices: set[tuple[str, str]]) -> dict[str, dict[str, str]]:
        """The issues of a meter with what their texts need."""
        coordinator, found = self._coordinator, dict[str, dict[str, str]]()
        if coordinator.is_current(meter.id):
            if meter.locked:
                found["meter_locked"] = {}
        elif coordinator.is_connected and meter.last_seen and _is_long_ago(meter.last_seen):
            reasons = [sentence(coordinator.hass, source) for source in coordinator.sources_of(meter.id)]
            found["no_data"] = {"since": _local(meter.last_seen), "reason": "".join(reasons[:1])}
        if (_MQTT, f"iskra_{meter.server_id}") in mqtt_devices:
            found["mqtt_too"] = {}
        return found


@callback
def async_set_another_server(hass: HomeAssistant, entry: ConfigEntry, address: str | None) -> None:
    """`address`: where another server answers than that of the entry; None: nowhere. It outlives a failed setup."""
    issue_id = f"another_server_{entry.entry_id}"
    if address is None:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key="another_server",
        translation_placeholders={"server": address},
    )


def _mqtt_devices(hass: HomeAssistant) -> set[tuple[str, str]]:
    """The identifiers of all devices of MQTT."""
    registry = dr.async_get(hass)
    entries = (entry.entry_id for entry in hass.config_entries.async_entries(_MQTT))
    devices = (device for entry in entries for device in dr.async_entries_for_config_entry(registry, entry))
    return {identifier for device in devices for identifier in device.identifiers}


def _is_long_ago(moment: datetime) -> bool:
    return (dt_util.utcnow() - moment).total_seconds() > NO_DATA_AFTER_S


def _local(moment: datetime) -> str:
    return dt_util.as_local(moment).strftime("%Y-%m-%d %H:%M")
