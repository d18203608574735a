"""Whether there is a problem, with the sentence that says what to do; and whether a meter is locked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant

from .entity import ServerEntity, add_for_each_meter
from .wording import sentence, words

if TYPE_CHECKING:
    from homeassistant.helpers.entity_platform import AddEntitiesCallback

    from .coordinator import IskraConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: IskraConfigEntry, async_add_entities: AddEntitiesCallback
) -> None:
    coordinator = entry.runtime_data

    def of_meter(meter_id: str) -> tuple[ServerEntity, ...]:
        return MeterProblem(coordinator, "problem", meter_id), Locked(coordinator, "locked", meter_id)

    async_add_entities([ServerProblem(coordinator, "problem")])
    add_for_each_meter(entry, async_add_entities, of_meter)


class MeterProblem(ServerEntity, BinarySensorEntity):
    """On while a check of the diagnosis fails, but for a locked meter. `sentence` says what it is."""

    _attr_device_class = BinarySensorDeviceClass.PROBLEM
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _unrecorded_attributes = frozenset(("sentence", "next_step", "failed_check", "source"))

    @property
    def is_on(self) -> bool | None:
        sources = self._coordinator.sources_of(self._meter_id)
        return self._coordinator.has_problem(sources[0]) if sources else None

    @property
    def extra_state_attributes(self) -> dict[str, Any] | None:
        sources = self._coordinator.sources_of(self._meter_id)
        if not sources:
            return None
        told = words(self.hass, sources[0])
        return {
            "sentence": told.sentence,
            "next_step": told.next_step,
            "failed_check": next(iter(sources[0].failed_checks), None),
            "source": sources[0].name,
        }


class ServerProblem(ServerEntity, BinarySensorEntity):
    """On while a source, the history or an output of the server has a problem, or no meter is found."""

    _attr_device_class = BinarySensorDeviceClass.PROBLEM
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _unrecorded_attributes = frozenset(("problems",))

    @property
    def is_on(self) -> bool:
        return bool(self._problems())

    @property
    def extra_state_attributes(self) -> dict[str, Any]:
        return {"problems": self._problems()}

    def _problems(self) -> list[str]:
        server = self._coordinator.server
        failing = [source for source in server.sources if self._coordinator.has_problem(source)]
        return [*(sentence(self.hass, source) for source in failing), *server.failures]


class Locked(ServerEntity, BinarySensorEntity):
    """On while the meter sends whole kWh alone, because its PIN has not been entered; unknown if it does not tell."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC

    @property
    def available(self) -> bool:
        return super().available and self._coordinator.is_current(self._meter_id)

    @property
    def is_on(self) -> bool | None:
        meter = self._coordinator.meters.get(self._meter_id)
        return meter.locked if meter else None
