"""What each meter has sent over all connections: its registers and their decimal places.

Both only grow: a meter that locks keeps its entities, which are unavailable then.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import ceil

from iskra_server.cost.contracts import Contract
from iskra_server.meter import identity
from iskra_server.meter.medium import medium
from iskra_server.meter.reading import Sample
from iskra_server.meter.registers import BY_KEY
from iskra_server.meter.virtual_meter import is_virtual
from iskra_server.outputs.mqtt.broker_settings import MqttSettings
from iskra_server.outputs.mqtt.diagnosis_messages import DIAGNOSTICS_EVERY_S
from iskra_server.outputs.mqtt.discovery import DiscoveryPayloads
from iskra_server.outputs.mqtt.entity_names import Device, Entity
from iskra_server.outputs.mqtt.payloads import published_unit

# so many missing diagnostics make their entities unavailable
_MAX_MISSED = 4
# registers outside the table that are announced; a meter sends a few
MAX_UNNAMED = 50


class KnownMeter:
    """`sample` is its newest."""

    def __init__(self, sample: Sample, name: str, contracts: Sequence[Contract] = ()) -> None:
        self.id = hex_id(sample)
        self.sample = sample
        self.name = name
        self._contracts = contracts
        # register -> decimal places
        self.places: dict[str, int] = {}
        # register outside the table, or in another unit than the table's -> its published unit
        self.units: dict[str, str] = {}
        self.stale_after_s = 0
        # counter that it does not send -> decimal places of its energy of today and this month
        self.counted: dict[str, int] = {}

    def update(
        self, sample: Sample, numbers: Mapping[str, Decimal], stale_after_s: float, units: Mapping[str, str] = {}
    ) -> bool:
        """Whether there is more to announce than before. `units`: the published ones of these numbers."""
        self.sample = sample
        before = self._extent()
        for key, value in numbers.items():
            self.add_register(key, _places(value), units.get(key, ""))
        limit_s = ceil(stale_after_s)
        # while the interval of a meter is being learned its limit changes a bit each time: announce only real changes
        if not limit_s <= self.stale_after_s <= 2 * limit_s:
            self.stale_after_s = limit_s
        return before != self._extent()

    def add_register(self, key: str, places: int, unit: str = "") -> None:
        """A register that the meter sends, or sent before this process started. One outside the table needs a unit."""
        if key not in BY_KEY and key not in self.units:
            if not unit or len(self.units) >= MAX_UNNAMED:
                return
            self.units[key] = unit
        elif key in BY_KEY and unit and unit != published_unit(key):
            self.units[key] = unit
        self.places[key] = max(places, self.places.get(key, 0))

    def add_periods(self, energy_kwh: Mapping[str, Decimal]) -> bool:
        """The energy of its periods by name, of a virtual meter that sends no counters; says whether it is more."""
        before = self._extent()
        for name, value in energy_kwh.items():
            counter = name.rpartition("_")[0]
            if counter not in self.places:
                self.counted[counter] = max(_places(value), self.counted.get(counter, 0))
        return before != self._extent()

    def _extent(self) -> tuple[float, ...]:
        places, counted = self.places.values(), self.counted.values()
        return len(places), len(self.units), len(counted), sum(places) + sum(counted), self.stale_after_s

    def discovery(self, payloads: DiscoveryPayloads, settings: MqttSettings) -> dict[str, bytes]:
        """Topic -> payload that the broker must retain."""
        if settings.discovery == "off":
            return {}
        device = self._device()
        entities = self._entities(payloads, device, settings)
        return (payloads.classic if settings.discovery == "classic" else payloads.device)(device, entities)

    def _device(self) -> Device:
        reading = self.sample.reading
        return Device(
            id=self.id,
            label=reading.meter_id,
            name=self.name,
            maker=identity.maker(reading),
            family=identity.family(reading),
            medium=medium(reading),
            is_sub_meter=reading.channel > 0,
            has_diagnosis=not is_virtual(reading),
            simulated=self.sample.simulated,
        )

    def _entities(self, payloads: DiscoveryPayloads, device: Device, settings: MqttSettings) -> list[Entity]:
        return payloads.entities(
            device,
            self.places,
            self.units,
            expire_s=self.stale_after_s + ceil(settings.state_every_s),
            counters_expire_s=self.stale_after_s + ceil(settings.counters_every_s),
            diagnostics_s=_MAX_MISSED * DIAGNOSTICS_EVERY_S,
            contracts=self._contracts,
            counted=self.counted,
        )


def hex_id(sample: Sample) -> str:
    """The meter in topics."""
    return sample.reading.server_id.hex() or "unknown"


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
