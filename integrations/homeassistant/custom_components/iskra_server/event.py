"""An event when a problem begins, and when it is over: for automations that tell somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from homeassistant.components.event import EventEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback

from .coordinator import SERVER
from .entity import ServerEntity, add_for_each_meter
from .wording import words

if TYPE_CHECKING:
    from homeassistant.helpers.entity_platform import AddEntitiesCallback

    from .coordinator import Coordinator, IskraConfigEntry
    from .problems import Change

PARALLEL_UPDATES = 0
FAULT: Final = "fault"
RECOVERED: Final = "recovered"


async def async_setup_entry(
    hass: HomeAssistant, entry: IskraConfigEntry, async_add_entities: AddEntitiesCallback
) -> None:
    coordinator = entry.runtime_data
    # of sources that have not found their meter
    async_add_entities([Fault(coordinator, SERVER)])
    add_for_each_meter(entry, async_add_entities, lambda meter_id: [Fault(coordinator, meter_id)])


class Fault(ServerEntity, EventEntity):
    """`fault` with its key in the table of faults, and its sentence; `recovered` with the fault "well"."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_event_types = [FAULT, RECOVERED]  # noqa: RUF012 - as Home Assistant declares it

    def __init__(self, coordinator: Coordinator, meter_id: str) -> None:
        super().__init__(coordinator, "fault", meter_id)

    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self._coordinator.async_on_fault(self._meter_id, self._fire))

    @callback
    def _fire(self, change: Change) -> None:
        told = words(self.hass, change.source)
        attributes = {
            "fault": change.source.fault,
            "sentence": told.sentence,
            "next_step": told.next_step,
            "source": change.source.name,
        }
        self._trigger_event(RECOVERED if change.is_over else FAULT, attributes)
        self.async_write_ha_state()
