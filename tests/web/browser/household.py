"""The history for the browser tests: a meter with a reading per day, and per quarter-hour on some days.

2025-01-01 ........ midnights ........ eight days ago .... every quarter .... now
and every quarter of the days on which the clocks change, of a day with a gap, and of one with a new epoch
"""

import time
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

NOW = datetime.now(UTC)
_BERLIN = ZoneInfo("Europe/Berlin")
# around midnight today would have no whole quarter-hour yet, or end while the tests run: then it is two hours earlier
ZONE = _BERLIN if 1 <= NOW.astimezone(_BERLIN).hour < 23 else ZoneInfo("Atlantic/Azores")
TODAY = NOW.astimezone(ZONE).date()
FIRST_DAY = date(2025, 1, 1)
SPRING, AUTUMN = date(2026, 3, 29), date(2025, 10, 26)
# the hour that is skipped and occurs twice: 2 in Berlin; every clock of the EU changes at 01:00 UTC
CHANGED_HOUR = datetime(2025, 10, 26, 1, tzinfo=UTC).astimezone(ZONE).hour
GAP_DAY, EPOCH_DAY = date(2026, 5, 5), date(2026, 5, 12)
_RECENT = TODAY - timedelta(days=8)
_DAY = timedelta(days=1)


def _quarter(day: date) -> int:
    return quarter_of(local_midnight(day, ZONE).timestamp())


FIRST = _quarter(FIRST_DAY)


def this_quarter() -> int:
    return quarter_of(time.time())


def counters_at(quarter: int) -> tuple[int, int]:
    """Both counters in 0.1 Wh. Neighbouring steps differ, so that a shifted bar is noticed."""
    elapsed = quarter - FIRST
    imported = 10_000_000 + elapsed * 400 + (elapsed * elapsed) % 397
    return imported, 500_000 + elapsed * 150 + (elapsed * elapsed) % 149


def energy_now() -> int:
    return counters_at(this_quarter())[0] + 5


def quarters(last: int) -> list[int]:
    """The quarters with readings."""
    recorded = {_quarter(FIRST_DAY + _DAY * days) for days in range((TODAY - FIRST_DAY).days + 1)}
    for day in (SPRING, AUTUMN, GAP_DAY, EPOCH_DAY):
        recorded |= set(range(_quarter(day), _quarter(day + _DAY)))
    recorded |= set(range(_quarter(_RECENT), last + 1))
    gap = _quarter(GAP_DAY)
    return sorted(recorded - set(range(gap + 40, gap + 60)))


def records(last: int) -> Iterator[Record]:
    restart = _quarter(EPOCH_DAY) + 48
    yield EpochStart(
        METER_ID, IMPORT, 1, restart * 900 - 60, Exact(counters_at(restart)[0], -1), Exact(counters_at(restart)[0], -1)
    )
    for quarter in quarters(last):
        imported, exported = counters_at(quarter)
        yield QuarterReading(METER_ID, IMPORT, quarter, Exact(imported, -1), "measured", int(quarter >= restart))
        yield QuarterReading(METER_ID, EXPORT, quarter, Exact(exported, -1), "measured", 0)
        if quarter >= _quarter(_RECENT):
            watts = 160 + quarter % 37
            yield PowerQuarter(METER_ID, quarter, (watts - 90) * 1000, watts * 1000, (watts + 800) * 1000, 300)


def write(folder: Path) -> None:
    """Until this quarter-hour: between a history that ends before it and the first telegram would be a gap."""
    last = this_quarter()
    store = Store(f"sqlite:///{folder}/iskra.sqlite")
    store.write(list(records(last)), [MeterInfo(METER_ID, SERVER_ID.hex(), False, FIRST * 900, last * 900)])
    store.close()
