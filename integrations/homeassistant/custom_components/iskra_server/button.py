"""A button of the server's device: fill the gaps in the statistics of its meters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeassistant.components.button import ButtonEntity
from homeassistant.const import EntityCategory

from .entity import ServerEntity
from .services import Request, async_check_administrator, async_fill_gaps

if TYPE_CHECKING:
    from homeassistant.core import Context, HomeAssistant
    from homeassistant.helpers.entity_platform import AddEntitiesCallback

    from .coordinator import Coordinator, IskraConfigEntry

PARALLEL_UPDATES = 1


async def async_setup_entry(
    _hass: HomeAssistant, entry: IskraConfigEntry, async_add_entities: AddEntitiesCallback
) -> None:
    async_add_entities([FillGapsButton(entry.runtime_data, entry)])


class FillGapsButton(ServerEntity, ButtonEntity):
    """Writes the missing hours of all meters, for administrators, as the service does.

    What cannot be filled is in the answer of the service alone.
    """

    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, coordinator: Coordinator, entry: IskraConfigEntry) -> None:
        super().__init__(coordinator, "fill_gaps")
        self._entry = entry
        self._pressed_in: Context | None = None

    def async_set_context(self, context: Context) -> None:
        """Home Assistant tells here who presses the button, just before `async_press`."""
        super().async_set_context(context)
        self._pressed_in = context

    async def async_press(self) -> None:
        await async_check_administrator(self.hass, self._pressed_in)
        await async_fill_gaps(self.hass, self._entry, Request())
