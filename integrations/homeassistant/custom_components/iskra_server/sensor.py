"""A sensor for every register that a meter sends, for energy, cost and prices, and for the quality of reception."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorStateClass
from homeassistant.const import PERCENTAGE, EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.enum import try_parse_enum

from .const import DOMAIN
from .describing import device_class, state_class, translation_key
from .entity import ServerEntity
from .period_sensor import period_sensors
from .price_sensor import price_sensors
from .wording import label

if TYPE_CHECKING:
    from homeassistant.helpers.entity_platform import AddEntitiesCallback

    from .coordinator import Coordinator, IskraConfigEntry
    from .model import MeterRegister

PARALLEL_UPDATES = 0
# Home Assistant allows no longer state
_MAX_STATE: Final = 255
_TEXTS: Final = ("tariff", "message", "breaker_state")


async def async_setup_entry(
    hass: HomeAssistant, entry: IskraConfigEntry, async_add_entities: AddEntitiesCallback
) -> None:
    """A meter or a register that appears later gets its sensors then."""
    coordinator = entry.runtime_data
    translations = await async_get_translations(hass, "en", "entity", [DOMAIN])
    added: set[tuple[str, str]] = set()

    @callback
    def add() -> None:
        entities: list[SensorEntity] = []
        for meter in coordinator.meters.values():
            if not meter.is_sub_meter and (meter.id, "") not in added:
                entities.append(SignalQuality(coordinator, "signal_quality", meter.id))
            if (meter.id, "") not in added:
                entities.append(LastReading(coordinator, "last_reading", meter.id))
            names = [name for name in meter.registers if (meter.id, name) not in added]
            for name in names:
                sensor = RegisterSensor(coordinator, meter.id, meter.registers[name])
                if f"component.{DOMAIN}.entity.sensor.{sensor.translation_key}.name" not in translations:
                    sensor.use_name(label(hass, meter.registers[name]))
                entities.append(sensor)
            added.update((meter.id, name) for name in ("", *names))
            of_history = (*period_sensors(coordinator, meter), *price_sensors(coordinator, meter.id))
            new = [sensor for sensor in of_history if (meter.id, sensor.key) not in added]
            added.update((meter.id, sensor.key) for sensor in new)
            entities += new
        async_add_entities(entities)

    add()
    entry.async_on_unload(coordinator.async_on_new(add))


class RegisterSensor(ServerEntity, SensorEntity):
    """One register. Its state has the digits of the meter; it is available while the meter sends it."""

    _unrecorded_attributes = frozenset(("obis",))

    def __init__(self, coordinator: Coordinator, meter_id: str, register: MeterRegister) -> None:
        super().__init__(coordinator, register.name, meter_id)
        meter = coordinator.meters[meter_id]
        self._name = register.name
        self._attr_translation_key = translation_key(register, is_sub_meter=meter.is_sub_meter)
        self._attr_native_unit_of_measurement = register.unit if register.is_number else None
        # an older Home Assistant does not know every class
        self._attr_device_class = try_parse_enum(SensorDeviceClass, device_class(register, meter.medium))
        self._attr_state_class = try_parse_enum(SensorStateClass, state_class(register))
        if register.places and register.is_number and register.unit:
            self._attr_suggested_display_precision = register.places
        if not register.is_number:
            self._attr_entity_category = EntityCategory.DIAGNOSTIC
            self._attr_entity_registry_enabled_default = register.name in _TEXTS

    def use_name(self, name: str) -> None:
        """Instead of a translated one."""
        self._attr_translation_key = None
        self._attr_name = name

    @property
    def available(self) -> bool:
        return super().available and self._coordinator.is_current(self._meter_id) and self._register is not None

    @property
    def native_value(self) -> str | None:
        return self._register.state[:_MAX_STATE] if self._register else None

    @property
    def extra_state_attributes(self) -> dict[str, Any] | None:
        if self._register is None:
            return None
        read_at = {"read_at": self._register.read_at} if self._register.read_at else {}
        return {"obis": self._register.obis, **read_at}

    @property
    def _register(self) -> MeterRegister | None:
        meter = self._coordinator.meters.get(self._meter_id)
        return meter.registers.get(self._name) if meter else None


class SignalQuality(ServerEntity, SensorEntity):
    """The share of valid telegrams since the start of the server."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_native_unit_of_measurement = PERCENTAGE
    _attr_state_class = SensorStateClass.MEASUREMENT
    _attr_suggested_display_precision = 1

    @property
    def native_value(self) -> Decimal | None:
        sources = self._coordinator.sources_of(self._meter_id)
        ratio = next((source.valid_ratio for source in sources if source.valid_ratio is not None), None)
        return None if ratio is None else round(ratio * 100, 1)


class LastReading(ServerEntity, SensorEntity):
    """When the last telegram arrived; Home Assistant shows it as an age. It stays while the meter is silent."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_device_class = SensorDeviceClass.TIMESTAMP
    # each telegram is a row in the database of Home Assistant
    _attr_entity_registry_enabled_default = False

    @property
    def native_value(self) -> datetime | None:
        meter = self._coordinator.meters.get(self._meter_id)
        return meter.last_seen if meter else None
