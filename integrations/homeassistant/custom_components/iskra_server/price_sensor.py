"""What a kWh costs now, and when it is cheapest, under the contract in the server's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorStateClass
from homeassistant.util import dt as dt_util

from .entity import ServerEntity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from decimal import Decimal

    from .coordinator import Coordinator
    from .prices import CheapestHours, Prices

_EXPORT: Final = "price_export"


def price_sensors(coordinator: Coordinator, meter_id: str) -> Iterator[PriceSensor | CheapestSensor]:
    """Those that there are prices for, by now."""
    prices = coordinator.history.prices.get(meter_id)
    if prices is None:
        return
    yield PriceSensor(coordinator, "price_import", meter_id, prices.currency)
    if prices.pays_for_export:
        yield PriceSensor(coordinator, _EXPORT, meter_id, prices.currency)
    for hours in prices.cheapest:
        yield CheapestSensor(coordinator, meter_id, hours)


class PriceSensor(ServerEntity, SensorEntity):
    """Of this quarter-hour. Where the price of energy from the grid changes, `rates` has those ahead."""

    _attr_state_class = SensorStateClass.MEASUREMENT
    _attr_suggested_display_precision = 4
    _unrecorded_attributes = frozenset(("rates",))

    def __init__(self, coordinator: Coordinator, key: str, meter_id: str, currency: str) -> None:
        super().__init__(coordinator, key, meter_id)
        self.key = key
        self._attr_native_unit_of_measurement = f"{currency}/kWh"

    @property
    def available(self) -> bool:
        """It applies without a reading."""
        return super().available and self.native_value is not None

    @property
    def native_value(self) -> Decimal | None:
        prices = _prices(self._coordinator, self._meter_id)
        return prices.at(dt_util.utcnow(), is_export=self.key == _EXPORT) if prices else None

    @property
    def extra_state_attributes(self) -> dict[str, Any] | None:
        prices = _prices(self._coordinator, self._meter_id)
        if prices is None or not prices.changes or self.key == _EXPORT:
            return None
        return {"rates": prices.ahead(dt_util.utcnow())}


class CheapestSensor(ServerEntity, SensorEntity):
    """When the cheapest hours in a row ahead begin; unavailable where none are known."""

    _attr_device_class = SensorDeviceClass.TIMESTAMP

    def __init__(self, coordinator: Coordinator, meter_id: str, hours: int) -> None:
        self.key = f"cheapest_{hours}h"
        super().__init__(coordinator, self.key, meter_id)
        self._hours = hours

    @property
    def available(self) -> bool:
        return super().available and self._found is not None

    @property
    def native_value(self) -> datetime | None:
        return self._found.begin if self._found else None

    @property
    def extra_state_attributes(self) -> dict[str, Any] | None:
        return {"ends": self._found.end, "price": float(self._found.price)} if self._found else None

    @property
    def _found(self) -> CheapestHours | None:
        prices = _prices(self._coordinator, self._meter_id)
        found = prices.cheapest.get(self._hours) if prices else None
        return found if found and found.end > dt_util.utcnow() else None


def _prices(coordinator: Coordinator, meter_id: str) -> Prices | None:
    return coordinator.history.prices.get(meter_id)
