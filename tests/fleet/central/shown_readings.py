"""What a meter shows, what its reader writes down of it, and what has gone through between two readings that count."""

from bisect import bisect_left, bisect_right
from itertools import accumulate, pairwise
from random import Random

from msgspec import Struct

from iskra_server.history.model.records import EpochStart, Exact, Quality, QuarterReading, Record
from iskra_server.meter.obis import Obis

Span = tuple[int, int]


class Device:
    """A meter on the wall: what it shows of each register at a second, and where it restarts."""

    def __init__(self, random: Random, name: str, span: Span, energies: dict[Obis, list[int]], origin: int) -> None:
        self.name, self.registers = name, sorted(energies)
        self.begin, self.end = begin, end = span
        self._sums = {obis: list(accumulate(steps, initial=0)) for obis, steps in energies.items()}
        self._steps, self._origin = energies, origin
        self._starts = {obis: [(begin * 900 - 5000, random.randrange(10**6, 10**7))] for obis in energies}
        self.restarts: list[int] = []
        # from some second on it sends more digits
        self._unlocked_s = random.randrange(begin, end) * 900 if random.random() < 0.15 else 0
        self._fine, self._coarse = random.choice((-1, -1, -1, -3, 0)), random.choice((0, 1, 3))

    def restart(self, random: Random, second: int) -> None:
        self.restarts = sorted([*self.restarts, second])
        for starts in self._starts.values():
            starts.append((second, random.randrange(100)))
            starts.sort()

    def _energy(self, obis: Obis, second: int) -> int:
        place, within_s = divmod(second - self._origin * 900, 900)
        return self._sums[obis][place] + self._steps[obis][place] * within_s // 900

    def shows(self, obis: Obis, second: int, *, just_before: bool = False) -> Exact:
        limit = second if just_before else second + 1
        at, value = next(start for start in reversed(self._starts[obis]) if start[0] < limit)
        tenths = value + self._energy(obis, second) - self._energy(obis, at)
        scaler = self._coarse if second < self._unlocked_s else self._fine
        return Exact(tenths * 10 ** (-1 - scaler) if scaler < -1 else tenths // 10 ** (scaler + 1), scaler)


def tenths(value: Exact) -> int:
    assert value.scaler >= -1 or value.raw % 10 ** (-1 - value.scaler) == 0
    return int(value.raw * 10 ** (value.scaler + 1) if value.scaler >= -1 else value.raw // 10 ** (-1 - value.scaler))


class Sitting(Struct):
    """A reader reads a device from one quarter until before another, with a clock that is `clock_s` ahead."""

    reader: str
    ledger: str
    clock_s: int
    device: Device
    begin: int
    end: int
    absent: set[int]
    # it has missed a restart that was before its first reading, and only says that its counter has restarted
    first_epoch: int = 0


class Shown(Struct):
    """A reading of a register: when it was really taken, and what has gone through since the one before; 0: unknown."""

    device: str
    value: Exact
    quality: Quality
    gain: int = 0
    # whether all that was used since the reading before is in `gain`
    is_whole: bool = True


def record(random: Random, sitting: Sitting) -> tuple[list[list[Record]], dict[Obis, dict[int, Shown]]]:
    """What the reader writes down quarter by quarter, and what it means."""
    device, epoch, last = sitting.device, sitting.first_epoch, None
    written: list[list[Record]] = []
    shown: dict[Obis, dict[int, Shown]] = {obis: {} for obis in device.registers}
    for quarter in range(sitting.begin, sitting.end):
        if quarter in sitting.absent:
            continue
        now_s, of_quarter = quarter * 900 - sitting.clock_s, list[Record]()
        quality: Quality = "interpolated" if random.random() < 0.04 else "measured"
        restarts: list[int] = (
            [] if last is None else [at for at in device.restarts if last * 900 - sitting.clock_s < at <= now_s]
        )
        before: dict[Obis, Exact] = {}
        after: dict[Obis, Exact] = {}
        if last is None and sitting.first_epoch:
            for obis in device.registers:
                start = EpochStart(device.name, obis, epoch, now_s + sitting.clock_s, None, device.shows(obis, now_s))
                of_quarter.append(start)
        if restarts:
            assert last is not None
            (at,) = restarts
            epoch += 1
            last_s = last * 900 - sitting.clock_s
            # seen at once; or where it was off, with its last telegram before and its first one after
            is_near = quarter == last + 1
            before_s = at if is_near else min(last_s + random.randrange(300), at)
            after_s = at if is_near else max(now_s - random.randrange(300), at)
            for obis in device.registers:
                before[obis] = device.shows(obis, before_s, just_before=before_s == at)
                after[obis] = device.shows(obis, after_s)
                starts = epoch, after_s + sitting.clock_s, before[obis], after[obis]
                of_quarter.append(EpochStart(device.name, obis, *starts))
        for obis in device.registers:
            value = device.shows(obis, now_s)
            of_quarter.append(QuarterReading(device.name, obis, quarter, value, quality, epoch))
            gain = 0
            if last is not None:
                gain = tenths(value) - tenths(shown[obis][last].value)
                if restarts:
                    gain += tenths(before[obis]) - tenths(after[obis])
            shown[obis][quarter] = Shown(device.name, value, quality, gain, not restarts)
        written.append(of_quarter)
        last = quarter
    return written, shown


class Column:
    """The readings of a register that count, through all devices of a metering point."""

    def __init__(self, readings: dict[int, Shown]) -> None:
        self.readings = readings
        self.order = sorted(readings)
        self._sums = list(accumulate(readings[quarter].gain for quarter in self.order))

    def outermost(self, begin: int, end: int) -> Span | None:
        first, last = bisect_left(self.order, begin), bisect_right(self.order, end) - 1
        return (first, last) if first <= last else None

    def energy(self, begin: int, end: int) -> int | None:
        places = self.outermost(begin, end)
        if places is None or places[0] == places[1]:
            return None
        return self._sums[places[1]] - self._sums[places[0]]

    def count(self, begin: int, end: int) -> tuple[int, int]:
        """The quarter-hours with both readings, and those of them with one that was interpolated."""
        first, last = bisect_left(self.order, begin), bisect_right(self.order, end)
        pairs = [(one, other) for one, other in pairwise(self.order[first:last]) if other == one + 1]
        return len(pairs), sum(
            "interpolated" in (self.readings[one].quality, self.readings[other].quality) for one, other in pairs
        )
