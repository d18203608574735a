"""A house of 24 flats for some days of October, with all that can go wrong; its simulator says what is true.

Readers: `cellar` (flats 1 to 12), `stairs` (13 to 20), `attic` (21, 22; its clock is ahead), `shed` (23, 24; behind).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate, pairwise
from random import Random
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.fleet.protocol import ClosedQuarters, quarters
from iskra_server.history.model.records import Exact, MeterInfo, Quality, QuarterReading, Record
from iskra_server.simulator.household import TENTH_WH, Household
from samples import IMPORT

BERLIN = ZoneInfo("Europe/Berlin")
FLATS = range(1, 25)
AHEAD_S, BEHIND_S = 400, -300
# a Unix second -> what a counter shows then, in tenths of a Wh
Counter = Callable[[int], int]
MOVED, REPLACED, CHANGED, CONTESTED = 1, 2, 3, 20
CONTESTED_QUARTERS = 8
NEW_METER = "1 ISK 00 79999999"


def meter_of(flat: int) -> str:
    return f"1 ISK 00 7{flat:07}"


def tenant_of(flat: int) -> str:
    return f"Tenant {flat:02}"


def random_counter(flat: int, first: int, end: int) -> Counter:
    """Another energy in each quarter, evenly inside it."""
    random = Random(flat)
    energies = [random.randrange(3000) for _ in range(first - 8, end + 8)]
    sums = list(accumulate(energies, initial=flat * 1_234_567))

    def shows(second: int) -> int:
        place, within_s = divmod(second - (first - 8) * 900, 900)
        return sums[place] + energies[place] * within_s // 900

    return shows


def household_counter(flat: int, first: int, end: int) -> Counter:
    """The household of the product's simulator."""
    household = Household(flat, 0, (first - 8) * 900)
    for _ in household.advance((end + 8) * 900):
        pass
    return lambda second: household.at(second).import_mws // TENTH_WH


class Reading(Struct, frozen=True):
    """Flat `flat` is read from quarter `begin` until before `end`; `off` are quarters without a reading."""

    flat: int
    meter: str
    begin: int
    end: int
    shows: Counter


class FieldStation(Struct, frozen=True):
    """A reader, with a history of its own, and what it reads."""

    name: str
    clock_s: int
    ledger: str
    reads: Sequence[Reading]
    off: range = range(0)

    def records(self, reading: Reading, first: int, end: int) -> list[Record]:
        """What it recorded from a quarter until before another, by its own clock."""
        rows: list[Record] = []
        for quarter in range(max(first, reading.begin), min(end, reading.end)):
            if quarter not in self.off:
                raw = reading.shows(quarter * 900 - self.clock_s)
                # the first telegram after the reader was switched on came late
                quality: Quality = "interpolated" if quarter == self.off.stop and self.off else "measured"
                rows.append(QuarterReading(reading.meter, IMPORT, quarter, Exact(raw, -1), quality))
        return rows

    def messages(self, days: Sequence[int]) -> Iterator[ClosedQuarters]:
        """A day of a meter each; `days` are the quarters with which they begin, and the end of the last."""
        for first, end in pairwise(days):
            for reading in self.reads:
                rows = self.records(reading, first, end)
                if rows:
                    yield replace(quarters(self.info(reading), rows), ledger=self.ledger)

    def info(self, reading: Reading) -> MeterInfo:
        return MeterInfo(reading.meter, "0901" + reading.meter[-8:], False, reading.begin * 900, reading.end * 900)


class RentedHouse:
    """`days` days from the 20th or the 1st on, with the change of the clocks on the 25th; `days[-1]` is the end."""

    def __init__(self, first: date, count: int, counter: Callable[[int, int, int], Counter]) -> None:
        days = [first + timedelta(days=place) for place in range(count + 1)]
        self.period = f"{days[0]}..{days[-2]}"
        self.days = [int(datetime(day.year, day.month, day.day, tzinfo=BERLIN).timestamp()) // 900 for day in days]
        self.begin, self.end = self.days[0], self.days[-1]
        # the reading at the end is the first one of another day
        self.message_days = [*self.days, self.end + 1]
        self.counters = {flat: counter(flat, self.begin, self.end) for flat in FLATS}
        # at six in the morning of the fourth day; at noon of the fifth; at midnight before the sixth; the eighth day
        self.moved, self.replaced = self.days[3] + 24, self.days[4] + 48
        self.changed, self.off = self.days[5], range(self.days[7], self.days[7] + 96)
        self.last_day = self.days[-2]
        self.stations = [*self._stations()]

    def _stations(self) -> Iterator[FieldStation]:
        def of(flat: int, begin: int = self.begin, end: int = self.end + 1) -> Reading:
            return Reading(flat, meter_of(flat), begin, end, self.counters[flat])

        cellar = [of(MOVED, end=self.moved), of(REPLACED, end=self.replaced), *map(of, range(3, 13))]
        new = Reading(REPLACED, NEW_METER, self.replaced + 2, self.end + 1, self.new_meter)
        yield FieldStation("cellar", 0, "c" * 32, [*cellar, new])
        # two quarter-hours pass until the head is at the other reader
        stairs = [*map(of, range(13, 21)), of(MOVED, begin=self.moved + 2)]
        yield FieldStation("stairs", 0, "5" * 32, stairs, self.off)
        attic = [of(21), of(22), of(CONTESTED, begin=self.last_day, end=self.last_day + CONTESTED_QUARTERS)]
        yield FieldStation("attic", AHEAD_S, "a" * 32, attic)
        yield FieldStation("shed", BEHIND_S, "6" * 32, [of(23), of(24)])

    def new_meter(self, second: int) -> int:
        """It showed 1.2 Wh when it was installed."""
        shows = self.counters[REPLACED]
        return shows(second) - shows(self.replaced * 900 + 1700) + 12

    def true_tenths(self, flat: int, begin: int | None = None, end: int | None = None) -> int:
        """What was used between two quarters, as the meter showed it by the clock of its reader.

        Of the replaced meter without what was used while there was none.
        """
        begin, end = begin or self.begin, end or self.end
        clock_s = AHEAD_S if flat in {21, 22} else BEHIND_S if flat in {23, 24} else 0
        shows = self.counters[flat]
        used = shows(end * 900 - clock_s) - shows(begin * 900 - clock_s)
        if flat == REPLACED:
            used -= shows((self.replaced + 2) * 900) - shows((self.replaced - 1) * 900)
        return used
