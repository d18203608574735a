"""The history that the browser looks at: a meter in Berlin of which every day is known, and some to the quarter.

2025-01-01 ........ midnights ........ eight days ago .... every quarter .... now
and every quarter of the days on which the clocks change, of a day with a gap, and of one with a new epoch
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from iskra_server.history.model.periods import local_midnight
from iskra_server.history.model.records import (
    EpochStart,
    Exact,
    MeterInfo,
    PowerQuarter,
    QuarterReading,
    Record,
    quarter_of,
)
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT, METER_ID, SERVER_ID

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime.now(UTC)
TODAY = NOW.astimezone(ZONE).date()
BEGAN = date(2025, 1, 1)
SPRING, AUTUMN = date(2026, 3, 29), date(2025, 10, 26)
GAP_DAY, EPOCH_DAY = date(2026, 5, 5), date(2026, 5, 12)
_RECENT = TODAY - timedelta(days=8)
_DAY = timedelta(days=1)


def _quarter(day: date) -> int:
    return quarter_of(local_midnight(day, ZONE).timestamp())


FIRST, LAST = _quarter(BEGAN), quarter_of(NOW.timestamp())


def counted(quarter: int) -> tuple[int, int]:
    """What both counters show at a quarter, in 0.1 Wh: never two alike in a row, so that a shifted bar is seen."""
    passed = quarter - FIRST
    imported = 10_000_000 + passed * 400 + (passed * passed) % 397
    return imported, 500_000 + passed * 150 + (passed * passed) % 149


ENERGY_NOW = counted(LAST)[0] + 5


def quarters() -> list[int]:
    """Those that are known."""
    known = {_quarter(BEGAN + _DAY * days) for days in range((TODAY - BEGAN).days + 1)}
    for day in (SPRING, AUTUMN, GAP_DAY, EPOCH_DAY):
        known |= set(range(_quarter(day), _quarter(day + _DAY)))
    known |= set(range(_quarter(_RECENT), LAST + 1))
    hole = _quarter(GAP_DAY)
    return sorted(known - set(range(hole + 40, hole + 60)))


def records() -> Iterator[Record]:
    anew = _quarter(EPOCH_DAY) + 48
    yield EpochStart(METER_ID, IMPORT, 1, anew * 900 - 60, Exact(counted(anew)[0], -1), Exact(counted(anew)[0], -1))
    for quarter in quarters():
        imported, exported = counted(quarter)
        yield QuarterReading(METER_ID, IMPORT, quarter, Exact(imported, -1), "measured", int(quarter >= anew))
        yield QuarterReading(METER_ID, EXPORT, quarter, Exact(exported, -1), "measured", 0)
        if quarter >= _quarter(_RECENT):
            watts = 160 + quarter % 37
            yield PowerQuarter(METER_ID, quarter, (watts - 90) * 1000, watts * 1000, (watts + 800) * 1000, 300)


def write(folder: Path) -> None:
    store = Store(f"sqlite:///{folder}/iskra.sqlite")
    store.write(list(records()), [MeterInfo(METER_ID, SERVER_ID.hex(), False, FIRST * 900, LAST * 900)])
    store.close()
