"""What all entities have in common: their device, and when they are available."""

from __future__ import annotations

from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity

from .const import DOMAIN
from .coordinator import SERVER, Coordinator

_MAKERS = {"ISK": "ISKRA"}


class ServerEntity(Entity):
    """An entity of the server, or of one of its meters."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, coordinator: Coordinator, key: str, meter_id: str = SERVER) -> None:
        self._coordinator = coordinator
        self._meter_id = meter_id
        owner = "".join(meter_id.split()).lower() if meter_id else coordinator.server_key
        self._attr_unique_id = f"{owner}_{key}"
        self._attr_translation_key = key
        self._attr_device_info = meter_device(coordinator, meter_id) if meter_id else server_device(coordinator)

    @property
    def available(self) -> bool:
        return self._coordinator.is_connected and (not self._meter_id or self._meter_id in self._coordinator.meters)

    async def async_added_to_hass(self) -> None:
        self.async_on_remove(self._coordinator.async_on_update(self._meter_id, self.async_write_ha_state))


def server_device(coordinator: Coordinator) -> DeviceInfo:
    return DeviceInfo(identifiers={(DOMAIN, coordinator.server_key)})


def meter_device(coordinator: Coordinator, meter_id: str) -> DeviceInfo:
    """A meter or sub-meter; one with simulated values says so in its name."""
    meter = coordinator.meters[meter_id]
    name = next((source.meter_name for source in coordinator.sources_of(meter_id) if source.meter_name), "")
    if meter.is_sub_meter:
        name = ""
    device = DeviceInfo(
        identifiers={(DOMAIN, meter_id)},
        translation_key=("named" if name else meter.medium) + ("_simulated" if meter.simulated else ""),
        translation_placeholders={"name": name or meter_id},
        serial_number=meter_id,
        via_device=(DOMAIN, coordinator.server_key),
    )
    if meter.maker:
        device["manufacturer"] = _MAKERS.get(meter.maker, meter.maker)
    if meter.family:
        device["model"] = meter.family
    return device
