"""Repair issues: what only a person can mend, in the language of Home Assistant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .wording import sentence

if TYPE_CHECKING:
    from datetime import datetime

    from .coordinator import Coordinator
    from .model import Meter

# so long may a meter or a server be away, such as for an update, before a person is asked to look
_SILENT_AFTER_S: Final = 900.0
_MQTT: Final = "mqtt"


class Issues:
    """The issues of one config entry. `update` creates and deletes them."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._coordinator = coordinator
        self._open: set[str] = set()
        self._shown_twice: set[str] = set()

    def update(self) -> None:
        wanted: dict[str, tuple[str, dict[str, str]]] = {}
        for meter in self._coordinator.meters.values():
            for key, placeholders in self._of(meter).items():
                wanted[f"{key}_{meter.id}"] = key, {"meter": meter.id, **placeholders}
        lost_at = self._coordinator.lost_at
        if lost_at and _is_long_ago(lost_at):
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

    def add_shown_twice(self, meter_id: str) -> None:
        """Another entry shows this meter already."""
        if meter_id not in self._shown_twice:
            self._shown_twice.add(meter_id)
            self.update()

    def clear(self) -> None:
        for issue_id in self._open:
            ir.async_delete_issue(self._coordinator.hass, DOMAIN, issue_id)
        self._open.clear()

    def _of(self, meter: Meter) -> dict[str, dict[str, str]]:
        """The issues of a meter with what their texts need."""
        coordinator, found = self._coordinator, dict[str, dict[str, str]]()
        if coordinator.is_current(meter.id):
            if meter.locked:
                found["meter_locked"] = {}
        elif coordinator.is_connected and meter.last_seen and _is_long_ago(meter.last_seen):
            reasons = [sentence(coordinator.hass, source) for source in coordinator.sources_of(meter.id)]
            found["no_data"] = {"since": _local(meter.last_seen), "reason": "".join(reasons[:1])}
        devices = dr.async_get(coordinator.hass)
        if meter.server_id and devices.async_get_device(identifiers={(_MQTT, f"iskra_{meter.server_id}")}):
            found["mqtt_too"] = {}
        return found


def _is_long_ago(moment: datetime) -> bool:
    return (dt_util.utcnow() - moment).total_seconds() > _SILENT_AFTER_S


def _local(moment: datetime) -> str:
    return dt_util.as_local(moment).strftime("%Y-%m-%d %H:%M")
