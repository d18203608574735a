"""What has been seen of each meter, over every connection: which registers, with how many decimal places.

Registers and places only grow: a meter that locks keeps its entities, which are unavailable then.
"""

from collections.abc import Mapping
from decimal import Decimal
from math import ceil

from iskra_server.meter import identity
from iskra_server.meter.reading import Sample
from iskra_server.meter.registers import BY_KEY
from iskra_server.outputs.mqtt.discovery import Device, DiscoveryPayloads, Entity
from iskra_server.outputs.mqtt.settings import Settings
from iskra_server.outputs.mqtt.state import units

# diagnostics come every half minute
DIAGNOSTICS_EVERY_S = 30
_MISSED = 4
# registers outside the table that are announced; a meter sends a few
MAX_OTHERS = 50


class KnownMeter:
    """One meter. `sample` is its newest."""

    def __init__(self, sample: Sample, name: str) -> None:
        self.id = hex_id(sample)
        self.sample = sample
        self.name = name
        self.digits: dict[str, int] = {}
        # of registers outside the table, the unit that they are published in
        self.units: dict[str, str] = {}
        self.stale_after_s = 0

    def learn(self, sample: Sample, numbers: Mapping[str, Decimal], stale_after_s: float) -> bool:
        """True where there is more to announce than before."""
        self.sample = sample
        before = self._announced()
        sent = units(sample.reading)
        for key, value in numbers.items():
            self.recall(key, _places(value), sent.get(key, ""))
        limit_s = ceil(stale_after_s)
        # that of a meter whose pace is still being learnt moves; each step is announced, a wobble is not
        if not limit_s <= self.stale_after_s <= 2 * limit_s:
            self.stale_after_s = limit_s
        return before != self._announced()

    def recall(self, key: str, places: int, unit: str = "") -> None:
        """A register that the meter has sent, now or before this process began; one outside the table needs a unit."""
        if key not in BY_KEY and key not in self.units:
            if not unit or len(self.units) >= MAX_OTHERS:
                return
            self.units[key] = unit
        self.digits[key] = max(places, self.digits.get(key, 0))

    def _announced(self) -> tuple[float, ...]:
        return len(self.digits), len(self.units), sum(self.digits.values()), self.stale_after_s

    def messages(self, author: DiscoveryPayloads, settings: Settings) -> dict[str, bytes]:
        """Discovery as it shall stand at the broker: topic -> payload."""
        if settings.discovery == "off":
            return {}
        device = self._device()
        entities = self._entities(author, device, settings)
        return author.classic(device, entities) if settings.discovery == "classic" else author.device(device, entities)

    def _device(self) -> Device:
        reading = self.sample.reading
        return Device(
            id=self.id,
            label=reading.meter_id,
            name=self.name,
            maker=identity.maker(reading),
            family=identity.family(reading),
            simulated=self.sample.simulated,
        )

    def _entities(self, author: DiscoveryPayloads, device: Device, settings: Settings) -> list[Entity]:
        return author.entities(
            device,
            self.digits,
            self.units,
            expire_s=self.stale_after_s + ceil(settings.state_every_s),
            counters_expire_s=self.stale_after_s + ceil(settings.counters_every_s),
            diagnostics_s=_MISSED * DIAGNOSTICS_EVERY_S,
        )


def hex_id(sample: Sample) -> str:
    """The name of a meter in topics."""
    return sample.reading.server_id.hex() or "unknown"


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
