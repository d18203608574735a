"""Energy and cost of today and of this month, as sensors that begin again at local midnight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorStateClass
from homeassistant.const import UnitOfEnergy

from .entity import ServerEntity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from decimal import Decimal

    from .coordinator import Coordinator
    from .model import Meter
    from .periods import Cost, Period


def period_sensors(coordinator: Coordinator, meter: Meter) -> Iterator[PeriodSensor]:
    """Those that history has numbers for, by now."""
    for name, period in coordinator.history.periods.get(meter.id, {}).items():
        for register in period.counted:
            yield PeriodEnergy(coordinator, meter, register, name)
        if period.cost:
            yield PeriodCost(coordinator, meter.id, name, period.cost.currency)


class PeriodSensor(ServerEntity, SensorEntity):
    """`key` is that of its unique id and its name."""

    _attr_state_class = SensorStateClass.TOTAL

    def __init__(self, coordinator: Coordinator, meter_id: str, key: str, period: str) -> None:
        super().__init__(coordinator, key, meter_id)
        self.key = key
        self._name = period

    @property
    def available(self) -> bool:
        return super().available and self._coordinator.is_current(self._meter_id) and self._is_known

    @property
    def _is_known(self) -> bool:
        """Whether history has come so far."""
        return self.native_value is not None

    @property
    def last_reset(self) -> datetime | None:
        return self._period.begin if self._period else None

    @property
    def _period(self) -> Period | None:
        return self._coordinator.history.periods.get(self._meter_id, {}).get(self._name)


class PeriodEnergy(PeriodSensor):
    """What a counter has counted since the begin of the period, with the digits of the meter."""

    _attr_device_class = SensorDeviceClass.ENERGY
    _attr_native_unit_of_measurement = UnitOfEnergy.KILO_WATT_HOUR

    def __init__(self, coordinator: Coordinator, meter: Meter, register: str, period: str) -> None:
        super().__init__(coordinator, meter.id, f"{register}_{period}", period)
        self._register = register
        if register in meter.registers:
            self._attr_suggested_display_precision = meter.registers[register].places

    @property
    def native_value(self) -> str | None:
        period, meter = self._period, self._coordinator.meters.get(self._meter_id)
        energy_kwh = period.energy_kwh(self._register, meter) if period and meter else None
        return None if energy_kwh is None else format(energy_kwh, "f")

    @property
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """`measured_since`: the meter was first read later than the period began."""
        counted = self._period.counted.get(self._register) if self._period else None
        return {"measured_since": counted.since} if counted and counted.since else None


class PeriodCost(PeriodSensor):
    """What the energy has cost under the contract in the server's configuration, until the newest quarter-hour.

    It is unknown while the price of some energy is: `unpriced_kwh` says of how much. A part would look like all of it.
    """

    _attr_device_class = SensorDeviceClass.MONETARY
    _attr_suggested_display_precision = 2

    def __init__(self, coordinator: Coordinator, meter_id: str, period: str, currency: str) -> None:
        super().__init__(coordinator, meter_id, f"cost_{period}", period)
        self._attr_native_unit_of_measurement = currency

    @property
    def native_value(self) -> Decimal | None:
        cost = self._cost
        return None if cost is None or cost.unpriced_kwh else cost.amount

    @property
    def extra_state_attributes(self) -> dict[str, Any] | None:
        cost = self._cost
        return {"unpriced_kwh": float(cost.unpriced_kwh)} if cost and cost.unpriced_kwh else None

    @property
    def _is_known(self) -> bool:
        return self._cost is not None

    @property
    def _cost(self) -> Cost | None:
        """The cost of a day that is over is not that of today."""
        period, meter = self._period, self._coordinator.meters.get(self._meter_id)
        if period is None or meter is None:
            return None
        return period.cost if period.is_complete or period.holds(meter) else None
