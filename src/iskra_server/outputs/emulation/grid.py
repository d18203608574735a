"""The one record that every emulated device shows: what the grid meter measures now, or nothing.

    no telegram yet, stale, no power       no record: the devices are silent, or answer that they have no value
    a telegram read late from a buffer     no record: its age is not known

Power is the meter's own total (16.7.0), never a sum that is made here; phases are there only where it sends all three.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from decimal import Decimal
from math import inf

from msgspec import Struct

from iskra_server.base.clock import boottime_s
from iskra_server.diagnosis.status import Status
from iskra_server.meter.identity import compact_name
from iskra_server.meter.lists import LIST_PROTOCOLS, Shown, shown
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.reading import Sample
from iskra_server.meter.registers import BY_KEY
from iskra_server.meter.signed_power import PHASES, POWER
from iskra_server.reading.hub import Hub

# of EcoTracker's powerAvg
MEAN_S = 60.0

Phases = tuple[Decimal, Decimal, Decimal]


def _codes(*keys: str) -> tuple[Obis, ...]:
    return tuple(BY_KEY[key].obis for key in keys)


_VOLTAGES = _codes("voltage_l1", "voltage_l2", "voltage_l3")
_CURRENTS = _codes("current_l1", "current_l2", "current_l3")
_TARIFFS = _codes("energy_import_t1", "energy_import_t2")
(_FREQUENCY,) = _codes("frequency")


class GridReading(Struct, frozen=True, gc=False):
    """Power in W, + import and - export; energies in Wh; voltages in V, currents in A, frequency in Hz.

    Currents have no sign: some meters send that of the power, and a sum over the phases would be too small.
    What the meter does not send is None. `arrived_s` is when the telegram of the power arrived (boot time), and
    `waited_s` how much earlier it may have come; `mean_w` is the mean power of the last minute; `tariffs_wh` the
    import of tariffs 1 and 2. `may_lack_counters`: they may come in telegrams of their own, of some meters once an
    hour.
    """

    meter_id: str
    simulated: bool
    arrived_s: float
    power_w: Decimal
    phases_w: Phases | None
    mean_w: Decimal
    import_wh: Decimal | None
    export_wh: Decimal | None
    tariffs_wh: tuple[Decimal | None, Decimal | None]
    voltages_v: tuple[Decimal | None, Decimal | None, Decimal | None]
    currents_a: tuple[Decimal | None, Decimal | None, Decimal | None]
    frequency_hz: Decimal | None
    may_lack_counters: bool = False
    waited_s: float = 0.0


class Grid:
    """The record of one meter. `run` follows its telegrams until it is cancelled.

    `find_meter` gives the id of the meter, None while it is unknown; `stale_after_s` is the age limit for devices.
    """

    def __init__(self, hub: Hub, find_meter: Callable[[], str | None], stale_after_s: float) -> None:
        self._hub = hub
        self._find_meter = find_meter
        self.stale_after_s = stale_after_s
        self._meter_id: str | None = None
        self._recorded: tuple[Sample, GridReading | None] | None = None
        # of the last minute: arrival in boot time, power in W
        self._powers: deque[tuple[float, Decimal]] = deque()
        self._telegram = asyncio.Event()

    async def run(self, name: str) -> None:
        """`name` is that of the subscriber."""
        with self._hub.subscribe(name) as samples:
            async for sample in samples:
                if sample.reading.meter_id == self.meter_id:
                    self._note(sample)

    @property
    def meter_id(self) -> str | None:
        """None before its first telegram. Another one only while this one is not read: searching takes long."""
        age_s = self._hub.age_s(self._meter_id, boottime_s()) if self._meter_id else None
        if age_s is None or age_s > self.stale_after_s:
            found = self._find_meter()
            if found != self._meter_id:
                # those of another meter
                self._powers.clear()
            self._meter_id = found
        return self._meter_id

    def newest(self) -> GridReading | None:
        """None while there is no current power."""
        meter_id, now_s = self.meter_id, boottime_s()
        sample = self._hub.newest.get(meter_id) if meter_id else None
        if meter_id is None or sample is None or not self._hub.is_fresh(meter_id, now_s):
            return None
        if self._recorded is None or self._recorded[0] is not sample:
            self._recorded = sample, self._record(sample)
        reading = self._recorded[1]
        return reading if reading and self.age_s(reading) <= self.stale_after_s else None

    def age_s(self, reading: GridReading) -> float:
        """Since the telegram of its power arrived at the latest, including a pause that boot time did not count."""
        now_s = boottime_s()
        newest, age_s = self._hub.newest.get(reading.meter_id), self._hub.age_s(reading.meter_id, now_s)
        # a meter that is not configured any more has neither
        if newest is None or age_s is None:
            return inf
        pause_s = age_s - newest.age_s(now_s)
        return now_s - reading.arrived_s + reading.waited_s + pause_s

    def last_sample(self) -> Sample | None:
        """The newest telegram of the meter, of any age."""
        return self._hub.newest.get(meter_id) if (meter_id := self.meter_id) else None

    def others_are_read(self) -> bool:
        """Whether the meter is not known, but another one is."""
        return self.meter_id is None and bool(self._hub.electricity_meters())

    def is_production(self) -> bool:
        """Whether the meter is that of a solar plant."""
        return bool((meter_id := self.meter_id) and self._hub.is_production(meter_id))

    def usual_interval_s(self) -> float | None:
        """Between two telegrams of the meter."""
        return self._hub.usual_interval_s(meter_id) if (meter_id := self.meter_id) else None

    async def newer(self, than_s: float, within_s: float) -> None:
        """Returns when a telegram has come that arrived after `than_s` (boot time), or `within_s` have passed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not ((reading := self.newest()) and reading.arrived_s > than_s):
                    await self._telegram.wait()

    def _record(self, sample: Sample) -> GridReading | None:
        current: dict[Obis, Shown] = {}
        for item in shown(sample, sample.waited_s):
            current.setdefault(item.register.obis, item)
        power = current.get(POWER)
        if power is None or not sample.is_dated or (power_w := power.register.value) is None:
            return None

        def value(obis: Obis) -> Decimal | None:
            return item.register.value if (item := current.get(obis)) else None

        def values(codes: Iterable[Obis]) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
            first, second, third = map(value, codes)
            return first, second, third

        l1, l2, l3 = values(PHASES)
        i1, i2, i3 = (None if current_a is None else abs(current_a) for current_a in values(_CURRENTS))
        return GridReading(
            meter_id=sample.reading.meter_id,
            simulated=sample.simulated,
            arrived_s=power.arrived_s,
            power_w=power_w,
            phases_w=None if l1 is None or l2 is None or l3 is None else (l1, l2, l3),
            mean_w=self._mean_w(sample, power_w),
            import_wh=value(IMPORT),
            export_wh=value(EXPORT),
            tariffs_wh=(value(_TARIFFS[0]), value(_TARIFFS[1])),
            voltages_v=values(_VOLTAGES),
            currents_a=(i1, i2, i3),
            frequency_hz=value(_FREQUENCY),
            may_lack_counters=sample.reading.protocol in LIST_PROTOCOLS,
            waited_s=power.age_s - (sample.monotonic_s - power.arrived_s),
        )

    def _note(self, sample: Sample) -> None:
        power = sample.reading.get(POWER)
        if power is not None and (power_w := power.value) is not None:
            self._powers.append((sample.monotonic_s, power_w))
            while self._powers[0][0] < sample.monotonic_s - MEAN_S:
                self._powers.popleft()
        # wakes all that wait now
        self._telegram.set()
        self._telegram.clear()

    def _mean_w(self, sample: Sample, power_w: Decimal) -> Decimal:
        """Of the minute before a sample, which a request may see before `run` does."""
        began_s = sample.monotonic_s - MEAN_S
        powers_w = [earlier_w for at_s, earlier_w in self._powers if began_s <= at_s < sample.monotonic_s]
        return sum(powers_w, power_w) / (len(powers_w) + 1)


def configured_meter(name: str, hub: Hub, statuses: Callable[[], Sequence[Status]]) -> Callable[[], str | None]:
    """Finds the meter with this number, server id or configured name; without a name that of the first source.

    That of a solar plant only by its name: a battery that followed it would be wrong at any time.
    """
    wanted = compact_name(name)

    def find() -> str | None:
        if not wanted:
            if sources := statuses():
                return next((source.meter_id for source in sources if source.facts.role == "grid"), None)
            return next((meter_id for meter_id in hub.electricity_meters() if not hub.is_production(meter_id)), None)
        named = (status.meter_id for status in statuses() if compact_name(status.facts.name) == wanted)
        return hub.find(name) or next(named, None)

    return find
