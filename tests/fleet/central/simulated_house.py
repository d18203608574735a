"""A random house whose true energy is known: meters that restart and are replaced, gaps, tenants who move.

The oracle here shares no code with the program: it adds up the true energy of every quarter-hour.
"""

from copy import copy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.fleet.central.label_periods import LabelPeriod
from iskra_server.fleet.central.queries import Labels, set_labels
from iskra_server.history.model.records import EpochStart, Exact, MeterInfo, Quality, QuarterReading, Record
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import IMPORT

BERLIN = ZoneInfo("Europe/Berlin")
# the clocks change on the 29th, a day of 92 quarter-hours
DAYS = [date(2026, 3, 27) + timedelta(days=place) for place in range(6)]
EDGES = [int(datetime(day.year, day.month, day.day, tzinfo=BERLIN).timestamp()) // 900 for day in DAYS]
FIRST, LAST = EDGES[0], EDGES[-1]
TENANTS = ("Meyer", "Neu", "Kim")
# Wh x 10 of a step of the counters
SCALER = -1


class Expected(Struct):
    """As GroupSum: energy in Wh, and the five numbers of Completeness."""

    energy: Decimal | None = None
    meters: int = 0
    complete: int = 0
    quarters: int = 0
    measured: int = 0
    estimated: int = 0


class Device(Struct):
    """A meter: what it recorded, and its labels."""

    meter_id: str
    first_s: int
    readings: dict[int, QuarterReading]
    starts: list[EpochStart]
    tenants: list[LabelPeriod]
    # the first reading of any device after it
    counts_until: int = 2**31 - 1


class Flat:
    """A metering point: devices, the oldest first, and the true energy of each quarter in steps."""

    def __init__(self, random: Random, number: int) -> None:
        self.true = {quarter: random.randrange(0, 400) for quarter in range(FIRST - 200, LAST + 200)}
        self.devices: list[Device] = []
        cuts = [
            FIRST - random.choice((0, 3, 150)),
            *sorted(random.sample(range(FIRST, LAST), random.choice((0, 0, 1, 2)))),
        ]
        for place, begin in enumerate(cuts):
            end = cuts[place + 1] if place + 1 < len(cuts) else LAST + 20
            self.devices.append(self._device(random, f"1 ISK 00 {number * 10 + place:08}", begin, end))
        _end_at_successors(self.devices)

    def _device(self, random: Random, name: str, begin: int, end: int) -> Device:
        scaler = random.choice((SCALER, SCALER - 2))
        value, epoch, readings, starts = random.randrange(10**6), 0, dict[int, QuarterReading](), list[EpochStart]()
        # numbers of epochs that do not grow with time
        numbers = random.sample(range(1, 9), 4) if random.random() < 0.7 else [1, 2, 3, 4]
        rare = random.random() < 0.5
        absent = {
            quarter
            for at in random.sample(range(begin, end), min(end - begin, 2))
            for quarter in range(at, at + random.randrange(12))
        }
        # an old device may be heard of for some time after its successor
        for quarter in range(begin, end + random.choice((0, 5))):
            raw = value * 10 ** (SCALER - scaler)
            if quarter not in (absent if rare else ()):
                quality: Quality = "interpolated" if random.random() < 0.05 else "measured"
                readings[quarter] = QuarterReading(name, IMPORT, quarter, Exact(raw, scaler), quality, epoch)
            counted = self.true[quarter]
            if numbers and random.random() < 0.005:
                part, again = random.randrange(counted + 1), random.randrange(100)
                epoch = numbers.pop()
                before, after = Exact(value + part, SCALER), Exact(again, SCALER)
                starts.append(EpochStart(name, IMPORT, epoch, quarter * 900 + random.randrange(1, 900), before, after))
                value = again + counted - part
            else:
                value += counted
                # another reader goes on with an older number
                epoch = 0 if random.random() < 0.002 else epoch
        return Device(name, begin * 900, readings, starts, _tenants(random))

    def until(self, before: int) -> "Flat":
        """As a central server knows it that has readings from before a quarter only."""
        known = copy(self)
        known.devices = [
            replace(device, readings={quarter: row for quarter, row in device.readings.items() if quarter < before})
            for device in self.devices
        ]
        _end_at_successors(known.devices)
        return known

    def tenant(self, quarter: int) -> str | None:
        """Whose it is in a quarter."""
        labelled = [device for device in self.devices if device.tenants]
        for device in reversed(labelled):
            since = 0 if device is labelled[0] else device.first_s // 900
            for period in device.tenants:
                if (period.from_quarter or since) <= quarter < period.to_quarter:
                    return period.value
            if quarter >= since:
                return None
        return None

    def readings(self) -> dict[int, QuarterReading]:
        return {
            quarter: reading
            for device in self.devices
            for quarter, reading in device.readings.items()
            if quarter < device.counts_until
        }

    def energy(self, begin: int, end: int) -> int | None:
        """Steps from the first reading to the last, both ends included; None with fewer than two."""
        inside = sorted(quarter for quarter in self.readings() if begin <= quarter <= end)
        if len(inside) < 2:
            return None
        total = sum(self.true[quarter] for quarter in range(inside[0], inside[-1]))
        for new in self.devices[1:]:
            # a device may be heard of only after its successor
            if not new.readings or (first := min(new.readings)) >= new.counts_until:
                continue
            last = max((quarter for quarter in inside if quarter < first), default=None)
            # nobody measured between the old device's last reading and the new one's first
            if last is not None and first <= inside[-1]:
                total -= sum(self.true[quarter] for quarter in range(last, first))
        return total


def _end_at_successors(devices: list[Device]) -> None:
    for place, device in enumerate(devices):
        device.counts_until = min(
            (min(new.readings) for new in devices[place + 1 :] if new.readings), default=2**31 - 1
        )


def _tenants(random: Random) -> list[LabelPeriod]:
    """Nobody, one for ever, or several with moves at midnight and times when it is empty."""
    if random.random() < 0.2:
        return []
    if random.random() < 0.4:
        return [LabelPeriod(random.choice(TENANTS))]
    moves = [0, *sorted(random.sample(EDGES[1:-1], random.randrange(1, 4))), 2**31 - 1]
    periods = [LabelPeriod(random.choice(TENANTS), *span) for span in pairwise(moves)]
    return [period for period in periods if random.random() < 0.8]


def house(seed: int, flats: int = 8) -> list[Flat]:
    random = Random(seed)
    return [Flat(random, number) for number in range(1, flats + 1)]


def write(store: Store, flats: list[Flat], before: int = 2**31 - 1) -> None:
    """Everything from before a quarter into a database; all flats are in building 7."""
    infos, records = list[MeterInfo](), list[Record]()
    labels: dict[str, Labels] = {}
    for flat in flats:
        for device in flat.devices:
            infos.append(MeterInfo(device.meter_id, "", False, device.first_s, LAST * 900))
            records += [start for start in device.starts if start.at_s < before * 900]
            records += [reading for quarter, reading in device.readings.items() if quarter < before]
            labels[device.meter_id] = {"tenant": device.tenants, "building": "7"}
    store.write(records, infos)
    set_labels(store, labels)
    for flat in flats:
        for old, new in pairwise(flat.devices):
            store.replace_meter(old.meter_id, new.meter_id)


def expected(flats: list[Flat], tenant: str | None, begin: int, end: int) -> Expected:
    """Of a tenant, or of the whole building."""
    result = Expected()
    for flat in flats:
        own = [quarter for quarter in range(begin, end) if tenant is None or flat.tenant(quarter) == tenant]
        if not own:
            continue
        spans = [(quarter, quarter + 1) for quarter in own]
        joined = [spans[0]]
        for span in spans[1:]:
            if span[0] == joined[-1][1]:
                joined[-1] = joined[-1][0], span[1]
            else:
                joined.append(span)
        readings = flat.readings()
        result.meters += 1
        result.quarters += len(own)
        result.complete += all(first in readings and until in readings for first, until in joined)
        for first, until in joined:
            steps = flat.energy(first, until)
            if steps is not None:
                result.energy = (result.energy or Decimal(0)) + Decimal(steps).scaleb(SCALER)
        for quarter in own:
            if quarter in readings and quarter + 1 in readings:
                result.measured += 1
                result.estimated += "interpolated" in (readings[quarter].quality, readings[quarter + 1].quality)
    return result


def moment(quarter: int) -> datetime:
    return datetime.fromtimestamp(quarter * 900, UTC)
