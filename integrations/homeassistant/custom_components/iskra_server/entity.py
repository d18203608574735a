"""What all entities have in common: their device, and when they are available."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity

from .const import DOMAIN
from .coordinator import SERVER, Coordinator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from homeassistant.helpers.entity_platform import AddEntitiesCallback

    from .coordinator import IskraConfigEntry

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


def add_for_each_meter(
    entry: IskraConfigEntry, async_add_entities: AddEntitiesCallback, make: Callable[[str], Iterable[Entity]]
) -> None:
    """The entities of each electricity meter, by its id: now, and when it appears."""
    coordinator = entry.runtime_data
    added: set[str] = set()

    @callback
    def add() -> None:
        new = [meter.id for meter in coordinator.meters.values() if meter.id not in added and not meter.is_sub_meter]
        added.update(new)
        async_add_entities([entity for meter_id in new for entity in make(meter_id)])

    add()
    entry.async_on_unload(coordinator.async_on_new(add))


def server_device(coordinator: Coordinator) -> DeviceInfo:
    return DeviceInfo(identifiers={(DOMAIN, coordinator.server_key)})


def meter_device(coordinator: Coordinator, meter_id: str) -> DeviceInfo:
    """A meter or sub-meter; one with simulated values says so in its name."""
    meter = coordinator.meters[meter_id]
    name = next((source.meter_name for source in coordinator.sources_of(meter_id) if source.meter_name), "")
    if meter.is_sub_meter:
        name = ""
    fields = {
        "identifiers": {(DOMAIN, meter_id)},
        "translation_key": ("named" if name else meter.medium) + ("_simulated" if meter.simulated else ""),
        "translation_placeholders": {"name": name or meter_id},
        "manufacturer": _MAKERS.get(meter.maker or "", meter.maker),
        "model": meter.family,
        "serial_number": meter_id,
        **_via_server(coordinator),
    }
    create = cast("Callable[..., DeviceInfo]", DeviceInfo)
    # a meter that has not been read since the start of the server has told nothing: what is known of it stays
    return create(**{key: value for key, value in fields.items() if value is not None})


def _via_server(coordinator: Coordinator) -> dict[str, object]:
    """Home Assistant 2026.8 names the device by its id, older releases by its identifier."""
    if "via_device_id" in DeviceInfo.__annotations__:
        return {"via_device_id": coordinator.server_device_id}
    return {"via_device": (DOMAIN, coordinator.server_key)}
