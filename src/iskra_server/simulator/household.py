"""A realistic household whose counters are the exact integral of its power.

Everything is a function of seed and second. A day is a list of periods of constant power; within a period the power
flickers by a table that sums to zero over 256 s, so the energy up to any second is

    earlier periods + power x seconds + amplitude x (sum of the table so far)        all in integers

Power in mW, energy in mW x s. The flicker is too small to turn import into export within a period.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from random import Random

from msgspec import Struct

from iskra_server.history.model.records import QUARTER_S
from iskra_server.simulator.appliances import DAY_S, L2, Load, loads
from iskra_server.simulator.sun import generation

# central European standard time all year
ZONE_S = 3600
INSTALLED = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()) - ZONE_S
TENTH_WH = 360_000
# At each New Year the counters start at a multiple of this, above anything that earlier years can reach. So a start
# at any time integrates one year at most, and no counter is below one that an earlier start has shown.
YEARLY_KWH = 6000  # enough for a roof of 5 kW
KWH = 10_000 * TENTH_WH
# tariff 2 is the night
NIGHT_ENDS_S = 6 * 3600
NIGHT_BEGINS_S = 22 * 3600
# a single-phase inverter may feed in 4.6 kVA (VDE-AR-N 4105)
SINGLE_PHASE_W = 4600
FLICKER_S = 256
FLICKER_MAX = 8
FLICKER_STEP_MW = 2500


def _flicker() -> tuple[int, ...]:
    random = Random("flicker")
    half = [int(random.random() * (2 * FLICKER_MAX + 1)) - FLICKER_MAX for _ in range(FLICKER_S // 2)]
    mirrored = [-value for value in half]
    random.shuffle(mirrored)
    return (*half, *mirrored)


FLICKER = _flicker()
FLICKER_SO_FAR = tuple(accumulate(FLICKER, initial=0))


class State(Struct, frozen=True, gc=False):
    """A household at one second: net power (negative is export) and the counters up to it.

    `night` is the part of the import that tariff 2 counted, in 0.1 Wh.
    """

    second: int
    phases_mw: tuple[int, int, int]
    import_mws: int
    export_mws: int
    night: int

    @property
    def power_mw(self) -> int:
        return sum(self.phases_mw)


class Day:
    """The periods of constant power of one day, and the energy up to each."""

    def __init__(self, loads: Iterable[Load]) -> None:
        self._starts: list[int] = []
        self._phases: list[tuple[int, int, int]] = []
        self._imported = [0]
        self._exported = [0]
        changes = [(DAY_S, 0, 0)]
        for start, end, phase, power_mw in loads:
            changes += (start, phase, power_mw), (end, phase, -power_mw)
        changes.sort(key=itemgetter(0))
        power = [0, 0, 0]
        since = 0
        for second, group in groupby(changes, key=itemgetter(0)):
            if second > since:
                self._append(since, second, (power[0], power[1], power[2]))
                since = second
            for _, phase, change_mw in group:
                power[phase] += change_mw

    def _append(self, start: int, end: int, phases: tuple[int, int, int]) -> None:
        self._starts.append(start)
        self._phases.append(phases)
        energy = _energy(sum(phases), start, end)
        self._imported.append(self._imported[-1] + max(0, energy))
        self._exported.append(self._exported[-1] - min(0, energy))

    def phases(self, second: int) -> tuple[int, int, int]:
        """Power of L1, L2, L3 during `second` (of the day), in mW."""
        l1, l2, l3 = self._phases[bisect_right(self._starts, second) - 1]
        flicker = _amplitude(l1 + l2 + l3) * FLICKER[second % FLICKER_S]
        match second // 3 % 3:
            case 0:
                return l1 + flicker, l2, l3
            case 1:
                return l1, l2 + flicker, l3
        return l1, l2, l3 + flicker

    def energy(self, second: int) -> tuple[int, int]:
        """Import and export from midnight to `second`, in mW x s; 86400 is the whole day."""
        if second == DAY_S:
            return self._imported[-1], self._exported[-1]
        place = bisect_right(self._starts, second) - 1
        energy = _energy(sum(self._phases[place]), self._starts[place], second)
        return self._imported[place] + max(0, energy), self._exported[place] - min(0, energy)

    def peak(self, until: int = DAY_S) -> tuple[int, int]:
        """The highest mean import of a complete quarter of an hour, in mW, and the second of its end."""
        counters = [self.energy(end)[0] for end in range(0, until + 1, QUARTER_S)]
        means = ((after - before) // QUARTER_S for before, after in pairwise(counters))
        return max(((mean, place * QUARTER_S) for place, mean in enumerate(means, 1)), default=(0, 0))


class Household:
    """`pv_peak_w` is the roof's rated power, 0 without one; `is_plant`: only what the meter at the roof counts.

    `start`: the first Unix second that `at` accepts. Raises ValueError before 2020, and for a plant without a roof.
    """

    def __init__(self, seed: int, pv_peak_w: int, start: int, *, is_plant: bool = False) -> None:
        if start < INSTALLED:
            raise ValueError("the simulated meter was installed on 2020-01-01; choose a later start")
        if is_plant and not pv_peak_w:
            raise ValueError("the household of this profile has no solar roof; choose another profile, such as MT175")
        self.is_plant = is_plant
        self._seed = seed
        self._pv_peak_w = pv_peak_w
        year = datetime.fromtimestamp(start + ZONE_S, UTC).year
        base = (year - 2020) * YEARLY_KWH * KWH
        self._first_day = int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) // DAY_S
        # import, export and night counter at each midnight from the first day on
        self._midnights = [(base, base, base // 4 // TENTH_WH)]
        self._peaks: list[tuple[int, int]] = []
        self._day_number = -1
        self._day = Day(())

    def at(self, second: int) -> State:
        """The state at a Unix second, not before the year of `start`."""
        for _ in self.advance(second):
            pass
        number, second_of_day = divmod(second + ZONE_S, DAY_S)
        import_mws, export_mws, night = self._midnights[self._place(number)]
        day = self._plan(number)
        imported, exported = day.energy(second_of_day)
        return State(
            second,
            day.phases(second_of_day),
            import_mws + imported,
            export_mws + exported,
            night + _night(day, import_mws, second_of_day),
        )

    def advance(self, second: int) -> Iterator[None]:
        """Compute the counters up to `second`, one step per day, so that `at(second)` is quick."""
        place = self._place((second + ZONE_S) // DAY_S)
        while len(self._midnights) <= place:
            import_mws, export_mws, night = self._midnights[-1]
            day = self._plan(self._first_day + len(self._midnights) - 1)
            imported, exported = day.energy(DAY_S)
            night += _night(day, import_mws, DAY_S)
            self._midnights.append((import_mws + imported, export_mws + exported, night))
            self._peaks.append(day.peak())
            yield

    def at_midnight(self, number: int) -> State | None:
        """The counters at the beginning of a day (days since 1970), without power; None before the first day."""
        if number < self._first_day:
            return None
        second = number * DAY_S - ZONE_S
        for _ in self.advance(second):
            pass
        import_mws, export_mws, night = self._midnights[number - self._first_day]
        return State(second, (0, 0, 0), import_mws, export_mws, night)

    def peak(self, number: int, second: int) -> tuple[int, int]:
        """The highest mean import of a quarter from the beginning of a day up to a Unix second.

        In mW, and the second of its end; 0 where no quarter is complete.
        """
        for _ in self.advance(second):
            pass
        today, second_of_day = divmod(second + ZONE_S, DAY_S)
        complete = range(max(number, self._first_day), today)
        peaks = [(mean, day * DAY_S + end) for day in complete for mean, end in (self._peaks[day - self._first_day],)]
        if second_of_day >= QUARTER_S and today >= max(number, self._first_day):
            mean, end = self._plan(today).peak(second_of_day)
            peaks.append((mean, today * DAY_S + end))
        mean, end = max(peaks, default=(0, ZONE_S))
        return mean, end - ZONE_S

    def _place(self, number: int) -> int:
        if number < self._first_day:
            raise ValueError("the simulated household begins with the year of its start")
        return number - self._first_day

    def _plan(self, number: int) -> Day:
        if number != self._day_number:
            of_house = () if self.is_plant else loads(number, self._random(number, "loads"))
            self._day = Day((*of_house, *self._roof(number)))
            self._day_number = number
        return self._day

    def _roof(self, number: int) -> Iterable[Load]:
        phases = (L2,) if self._pv_peak_w <= SINGLE_PHASE_W else (0, 1, 2)
        for start, end, power_mw in generation(number, self._pv_peak_w, self._random(number, "sky")):
            for phase in phases:
                yield Load(start, end, phase, -power_mw // len(phases))

    def _random(self, number: int, matter: str) -> Random:
        return Random(f"{self._seed} {number} {matter}")


def _amplitude(power_mw: int) -> int:
    return min(FLICKER_STEP_MW, abs(power_mw) // 200)


def _energy(power_mw: int, start: int, end: int) -> int:
    """The energy of a period from `start` to before `end`."""
    flicker = FLICKER_SO_FAR[end % FLICKER_S] - FLICKER_SO_FAR[start % FLICKER_S]
    return power_mw * (end - start) + _amplitude(power_mw) * flicker


def _night(day: Day, midnight_mws: int, second: int) -> int:
    """Tariff 2 since midnight, in 0.1 Wh: each 0.1 Wh counts for the tariff in which it is completed."""

    def counted(until: int) -> int:
        return (midnight_mws + day.energy(until)[0]) // TENTH_WH

    morning = counted(min(second, NIGHT_ENDS_S)) - counted(0)
    return morning + (counted(second) - counted(NIGHT_BEGINS_S) if second > NIGHT_BEGINS_S else 0)
