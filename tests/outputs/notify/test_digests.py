"""When a digest is due, and that each is sent once; the rule about the base load."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from iskra_server.history.store.store import Store
from iskra_server.outputs.notify.digest_figures import DayPeriod
from iskra_server.outputs.notify.digests import (
    DigestSettings,
    ReadMeter,
    due_period,
    is_due,
    read_due,
    remember,
    skip_earlier,
)
from iskra_server.outputs.notify.memory import Memory
from iskra_server.outputs.notify.messages import MeterMessage
from samples import METER_ID
from web.past import counted, info

BERLIN = ZoneInfo("Europe/Berlin")
SETTINGS = DigestSettings(hour=7, base_load_percent=Decimal(25), contracts=(), zone="Europe/Berlin")
METER = ReadMeter(METER_ID, "House")
# a Monday
MONDAY = date(2026, 11, 23)
WEEK = DayPeriod(date(2026, 11, 16), MONDAY)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    yield made
    made.close()


def at(day: date, hour: int = 7) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=BERLIN)


def recorded(store: Store, begin: date, end: date, rise_at: date | None = None) -> None:
    """30 Wh a quarter; 45 from a day on."""
    first, last = (int(at(day, 0).timestamp()) // 900 for day in (begin, end))
    rise = int(at(rise_at, 0).timestamp()) // 900 if rise_at else last
    values, value = [], 0
    for quarter in range(first, last + 1):
        values.append(value)
        value += 450 if quarter >= rise else 300
    store.write(counted(values, first=first), [info(first=first)])


def send(store: Store, memory: Memory, now: datetime) -> list[MeterMessage]:
    if not is_due(memory, SETTINGS, now):
        return []
    return remember(read_due(store, [METER], memory, SETTINGS, now), memory, SETTINGS, now)


@pytest.mark.parametrize(
    ("now", "period"),
    [
        (at(MONDAY, 6), None),
        (at(MONDAY, 7), WEEK),
        (at(MONDAY + timedelta(days=3), 23), WEEK),
        (at(MONDAY + timedelta(days=4), 0), None),
        # summer time ends on Sunday: Monday 7:00 is not 168 hours later
        (at(date(2026, 10, 26), 7), DayPeriod(date(2026, 10, 19), date(2026, 10, 26))),
    ],
)
def test_the_week_is_due_on_monday_morning_and_a_few_days_late(now: datetime, period: DayPeriod | None) -> None:
    assert due_period("weekly", now, 7) == period


@pytest.mark.parametrize(
    ("now", "period"),
    [
        (at(date(2026, 12, 1), 6), None),
        (at(date(2026, 12, 1), 7), DayPeriod(date(2026, 11, 1), date(2026, 12, 1))),
        (at(date(2027, 1, 8), 3), DayPeriod(date(2026, 12, 1), date(2027, 1, 1))),
        (at(date(2027, 1, 9), 3), None),
    ],
)
def test_the_month_is_due_on_its_first_morning_and_a_week_late(now: datetime, period: DayPeriod | None) -> None:
    assert due_period("monthly", now, 7) == period


def test_a_digest_is_sent_once(store: Store) -> None:
    recorded(store, date(2026, 11, 1), MONDAY)
    memory = Memory()
    skip_earlier(memory, at(MONDAY - timedelta(days=2)))
    assert send(store, memory, at(MONDAY, 6)) == []
    (message,) = send(store, memory, at(MONDAY, 7))
    assert (message.event, message.phase, message.meter_name) == ("weekly", "report", "House")
    assert message.texts["de"].title == "Woche 16.–22. Nov.: 20,2 kWh Bezug"
    assert message.values["import_wh"] == Decimal(20_160)
    assert send(store, memory, at(MONDAY, 8)) == []
    assert send(store, memory, at(MONDAY + timedelta(days=2))) == []


def test_what_was_before_notifications_were_set_up_is_not_sent(store: Store) -> None:
    recorded(store, date(2026, 11, 1), MONDAY)
    memory = Memory()
    skip_earlier(memory, at(MONDAY, 12))
    assert send(store, memory, at(MONDAY, 13)) == []
    assert send(store, memory, at(MONDAY + timedelta(days=1))) == []


def test_one_that_was_due_while_the_server_was_off_is_sent_later(store: Store) -> None:
    recorded(store, date(2026, 11, 1), MONDAY)
    memory = Memory(digests={"weekly": "2026-11-09", "monthly": "2026-10-01"}, base_load_day="2026-11-22")
    (message,) = send(store, memory, at(MONDAY + timedelta(days=2), 15))
    assert message.event == "weekly"


def test_a_week_that_was_not_recorded_is_not_sent(store: Store) -> None:
    recorded(store, date(2026, 11, 1), date(2026, 11, 10))
    memory = Memory()
    skip_earlier(memory, at(MONDAY - timedelta(days=2)))
    assert send(store, memory, at(MONDAY)) == []
    assert memory.digests["weekly"] == "2026-11-16"


def test_a_rise_of_the_base_load_is_told_once(store: Store) -> None:
    recorded(store, date(2026, 11, 1), date(2026, 11, 30), rise_at=date(2026, 11, 13))
    memory = Memory()
    skip_earlier(memory, at(date(2026, 11, 15)))
    told = [
        (day, message)
        for day in range(16, 30)
        for hour in (6, 7, 12)
        for message in send(store, memory, at(date(2026, 11, day), hour))
        if message.event == "base_load"
    ]
    # the median of 10 to 16 November is the first with four higher nights
    assert [day for day, _ in told] == [17]
    message = told[0][1]
    assert message.texts["en"].title == "House: base load up by 50.0 %"
    assert message.texts["de"].title == "House: Grundlast um 50,0 % gestiegen"
    assert message.texts["de"].body == (
        "180 W in der ruhigsten Stunde der Nacht, vor einer Woche 120 W (Median aus je sieben Nächten). "
        "Bleibt es dabei, sind das 526 kWh mehr im Jahr."
    )
    assert not memory.is_on(f"base_load {METER_ID}")


def test_a_simulated_meter_is_told_as_such(store: Store) -> None:
    first = int(at(date(2026, 11, 16), 0).timestamp()) // 900
    store.write(counted(range(0, 300 * 673, 300), first=first), [info(first=first, simulated=True)])
    memory = Memory(digests={"weekly": "2026-11-09", "monthly": "2026-10-01"}, base_load_day="2026-11-23")
    (message,) = send(store, memory, at(MONDAY).astimezone(UTC).astimezone(BERLIN))
    assert message.simulated
