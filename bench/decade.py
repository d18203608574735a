"""Ten years of a meter for the benchmarks: three counters at every quarter, and every telegram of the last 30 days.

Thirty days of the simulator's household, over and over, with counters that go on: exact at every second.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from iskra_server.history.model.periods import local_midnight, next_start
from iskra_server.history.model.records import QUARTER_S, Exact, MeterInfo, PointBlock, PowerQuarter, QuarterReading
from iskra_server.history.points.points import Point, block_of
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.units import WATT, WATT_HOUR
from iskra_server.simulator.household import TENTH_WH, Household

YEARS = 10
RAW_DAYS = 30
FLUSH_S = 60
ZONE = ZoneInfo("Europe/Berlin")
COUNTERS = tuple(map(Obis.parse, ("1.8.0", "1.8.2", "2.8.0")))
POWER = Obis.parse("16.7.0")
METER_ID, SERVER_ID = "1 ISK 00 12345678", "090149534b0000bc614e"
# tenths of a watt-hour
SCALER = -1

_DAY_S = 86_400
_CYCLE_S = 30 * _DAY_S
_SPRING = int(datetime(2024, 3, 1, tzinfo=UTC).timestamp())
_QUARTERS_AT_ONCE = 96 * 28
_LOOKS = (0, 300, 600)


class Decade:
    """From the beginning of a year until the end of today, local time; so every question has a full answer."""

    def __init__(self, now: datetime) -> None:
        today = now.astimezone(ZONE).date()
        self.begin_s = int(local_midnight(today.replace(year=today.year - YEARS, month=1, day=1), ZONE).timestamp())
        self.end_s = int(local_midnight(next_start(today, "day"), ZONE).timestamp())
        self.quarters = range(self.begin_s // QUARTER_S, self.end_s // QUARTER_S + 1)
        self._household = Household(1, 5000, _SPRING)
        self._first, last = self._household.at(_SPRING), self._household.at(_SPRING + _CYCLE_S)
        self._cycle = (
            last.import_mws - self._first.import_mws,
            last.night - self._first.night,
            last.export_mws - self._first.export_mws,
        )

    @property
    def meter(self) -> MeterInfo:
        return MeterInfo(METER_ID, SERVER_ID, False, self.begin_s, self.end_s)

    def at(self, second: int) -> tuple[tuple[int, int, int], int]:
        """The counters in 0.1 Wh, and the power in mW."""
        times, within = divmod(second - self.begin_s, _CYCLE_S)
        state, first = self._household.at(_SPRING + within), self._first
        imported = state.import_mws - first.import_mws + times * self._cycle[0]
        exported = state.export_mws - first.export_mws + times * self._cycle[2]
        night = state.night - first.night + times * self._cycle[1]
        return (imported // TENTH_WH, night, exported // TENTH_WH), state.power_mw

    def ledger(self, quarters: range) -> Iterator[QuarterReading | PowerQuarter]:
        for quarter in quarters:
            begin_s = quarter * QUARTER_S
            for obis, raw in zip(COUNTERS, self.at(begin_s)[0], strict=True):
                yield QuarterReading(METER_ID, obis, quarter, Exact(raw, SCALER), "measured")
            looks = [self.at(begin_s + second)[1] for second in _LOOKS]
            yield PowerQuarter(METER_ID, quarter, min(looks), sum(looks) // len(looks), max(looks), QUARTER_S)

    def point(self, second: int) -> Point:
        counters, power_mw = self.at(second)
        registers = [Register(obis, raw, SCALER, WATT_HOUR) for obis, raw in zip(COUNTERS, counters, strict=True)]
        # a telegram arrives a little later or earlier in its second
        return Point(second * 1000 + second * 37 % 19, (*registers, Register(POWER, power_mw // 1000, 0, WATT)))

    def blocks(self, begin_s: int, end_s: int) -> Iterator[PointBlock]:
        for first_s in range(begin_s, end_s, FLUSH_S):
            points = [self.point(second) for second in range(first_s, first_s + FLUSH_S)]
            yield block_of(METER_ID, points)


def fill(store: Store, decade: Decade) -> None:
    """Write it all, with a line that says how far it is."""
    quarters = decade.quarters
    for start in range(quarters.start, quarters.stop, _QUARTERS_AT_ONCE):
        some = range(start, min(start + _QUARTERS_AT_ONCE, quarters.stop))
        store.write(decade.ledger(some), [decade.meter])
        progress("ten years of quarters", (some.stop - quarters.start) / len(quarters))
    for day in range(RAW_DAYS):
        begin_s = decade.end_s - (RAW_DAYS - day) * _DAY_S
        store.write(decade.blocks(begin_s, begin_s + _DAY_S), [decade.meter])
        progress(f"{RAW_DAYS} days of telegrams", (day + 1) / RAW_DAYS)


def progress(what: str, share: float) -> None:
    if sys.stderr.isatty() or share == 1:
        print(f"\r{what}: {share:4.0%}", end="\n" if share == 1 else "", file=sys.stderr, flush=True)
