"""Energy of today and of this month, from a real history and telegrams: exact, over midnight, summer time and gaps."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from iskra_server.history.model.ledger import Ledger
from iskra_server.history.model.records import MeterInfo, QuarterReading
from iskra_server.history.store.store import Store
from iskra_server.meter.reading import Sample
from iskra_server.outputs.mqtt.period_energy import PeriodEnergy
from iskra_server.outputs.mqtt.period_totals import PeriodTotals, readings_at, span_of
from samples import EXPORT, METER_ID, SERVER_ID, energy, reading
from web.past import BERLIN

ZONE = ZoneInfo(BERLIN)
INFO = MeterInfo(METER_ID, SERVER_ID.hex(), False, 0, 0)


def at(local_time: str, raw: int, *, exported: int | None = None, epoch: int = 0) -> Sample:
    """A telegram by the clock on the wall, with the counters in 0.1 Wh."""
    moment = datetime.fromisoformat(local_time)
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=ZONE)).astimezone(UTC)
    registers = [energy(raw)] + ([] if exported is None else [energy(exported, obis=EXPORT)])
    return Sample(reading(*registers), moment, moment.timestamp(), simulated=False, source="test", epoch=epoch)


class House:
    """A meter whose telegrams history records at once, and the energy of its periods."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ledger = Ledger()
        self.energy = PeriodEnergy(ZONE, lambda: store)

    def record(self, *samples: Sample) -> None:
        records = [record for sample in samples for record in self._ledger.observe(sample, with_power=False)]
        self._store.write(records, [INFO])

    def observe(self, *samples: Sample) -> list[PeriodTotals]:
        """What is published with each telegram: first what has ended, then what is now."""
        heard = []
        for sample in samples:
            heard += [*self.energy.observe(sample), self.energy.totals(sample.reading)]
        return [totals for totals in heard if totals]

    def read(self) -> None:
        asyncio.run(self.energy.read_missing())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'history.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def house(store: Store) -> House:
    return House(store)


def kwh(totals: PeriodTotals) -> dict[str, str]:
    return {name: str(value) for name, value in totals.energy_kwh.items()}


def begun(house: House, *samples: Sample) -> PeriodTotals:
    """Read so far, and known to history."""
    house.record(*samples)
    house.observe(samples[-1])
    house.read()
    return house.observe(samples[-1])[-1]


def test_nothing_is_said_before_history_is_read(house: House) -> None:
    (totals,) = house.observe(at("2026-11-22T10:00:01", 5000))
    assert totals.energy_kwh == {}


def test_today_and_this_month_count_from_their_first_moment(house: House) -> None:
    totals = begun(
        house,
        *(at("2026-10-31T23:59:59", 1000), at("2026-11-01T00:00:01", 1002)),
        *(at("2026-11-21T23:59:59", 6000, exported=10), at("2026-11-22T00:00:01", 6004, exported=10)),
        *(at("2026-11-22T09:59:59", 7000, exported=15), at("2026-11-22T10:00:01", 7002, exported=17)),
    )
    assert kwh(totals) == {
        "energy_import_today": "0.1000",
        "energy_import_month": "0.6001",
        "energy_export_today": "0.0007",
        # exported energy is in history since then
        "energy_export_month": "0.0007",
    }
    assert totals.span.today == datetime(2026, 11, 21, 23, tzinfo=UTC)
    assert totals.measured_since == {"energy_export_month": datetime(2026, 11, 21, 23, tzinfo=UTC)}
    (later,) = house.observe(at("2026-11-22T10:00:07", 7100, exported=17))
    assert kwh(later)["energy_import_today"] == "0.1098"


def test_the_day_ends_with_all_of_its_energy_and_the_next_begins_with_the_rest(house: House) -> None:
    begun(house, at("2026-11-29T23:59:00", 100), at("2026-11-30T00:01:00", 300), at("2026-11-30T12:00:00", 5000))
    ended, now = house.observe(at("2026-11-30T23:59:59", 9000), at("2026-12-01T00:00:02", 9003))[1:]
    # at midnight it was 9001, of 200 at midnight before
    assert (kwh(ended)["energy_import_today"], kwh(ended)["energy_import_month"]) == ("0.8801", "0.8801")
    assert ended.span.month == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert kwh(now) == {"energy_import_today": "0.0002", "energy_import_month": "0.0002"}
    assert now.span.month == now.span.today == datetime(2026, 11, 30, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "hours"), [("2026-03-27", (24, 24, 23, 24)), ("2026-10-23", (24, 24, 25, 24)), ("2026-02-27", (24,) * 4)]
)
def test_days_are_those_of_the_server_and_add_up(house: House, store: Store, first: str, hours: Sequence[int]) -> None:
    """Over both changes of the clock, and into a new month; a telegram every five minutes and a bit."""
    begin = datetime.fromisoformat(first).replace(tzinfo=ZONE).astimezone(UTC)
    moments = [begin + timedelta(seconds=307 * number - 100) for number in range(sum(hours) * 3600 // 307 + 3)]
    samples = [at(moment.isoformat(), number * 37) for number, moment in enumerate(moments)]
    begun(house, *samples[:3])
    house.record(*samples[3:])
    heard = house.observe(*samples[3:])
    days = sorted({totals.span.today for totals in heard})
    assert [(after - before) / timedelta(hours=1) for before, after in pairwise(days)] == list(hours)
    ended = [
        max(totals.energy_kwh["energy_import_today"] for totals in heard if totals.span.today == day) for day in days
    ]
    # as history has them
    house_of_record = House(store)
    house_of_record.observe(samples[-1])
    house_of_record.read()
    last = house_of_record.observe(samples[-1])[-1]
    assert last.energy_kwh["energy_import_today"] == ended[-1]
    first_wh = heard[0].energy_kwh["energy_import_today"] - Decimal(3 * 37) / 10_000
    assert sum(ended) == Decimal(int(samples[-1].reading.registers[0].raw)) / 10_000 + first_wh


def test_the_reading_at_midnight_is_that_of_history() -> None:
    before, after = at("2026-11-29T23:59:31", 1001), at("2026-11-30T00:00:12", 1042)
    ledger = Ledger()
    recorded = [record for sample in (before, after) for record in ledger.observe(sample, with_power=False)]
    (reading_,) = readings_at(span_of(after.received_at, ZONE).quarters["today"], before, after).values()
    assert [reading_] == [record for record in recorded if isinstance(record, QuarterReading)]


def test_telegrams_that_passed_without_a_connection_count_as_history_has_them(house: House) -> None:
    """Midnight between them is not interpolated from those before and after."""

    async def connection() -> None:
        running = asyncio.create_task(house.energy.run())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])

    last = at("2026-11-22T23:55:00", 5000)
    begun(house, at("2026-11-21T23:59:59", 1000), at("2026-11-22T00:00:01", 1002), last)
    asyncio.run(connection())
    house.record(
        at("2026-11-22T23:59:59", 9000), at("2026-11-23T00:00:01", 9002), again := at("2026-11-23T00:05:00", 9100)
    )
    (silent,) = house.observe(again)
    assert kwh(silent) == {}
    house.read()
    (now,) = house.observe(again)
    # at midnight it was 9001
    assert kwh(now)["energy_import_today"] == "0.0099"


def test_a_day_whose_midnight_was_not_measured_counts_from_the_first_reading_after_it(house: House) -> None:
    begun(house, at("2026-11-29T12:00:00", 100), at("2026-11-29T12:00:30", 300))
    unsure = house.observe(at("2026-11-30T06:50:00", 1000))
    assert [kwh(totals) for totals in unsure] == [{}]
    house.record(at("2026-11-30T06:59:59", 2000), at("2026-11-30T07:00:01", 2002))
    house.observe(at("2026-11-30T07:00:01", 2002))
    house.read()
    (totals,) = house.observe(at("2026-11-30T07:01:00", 2100))
    assert kwh(totals) == {"energy_import_today": "0.0099", "energy_import_month": "0.2000"}
    assert totals.measured_since["energy_import_today"] == datetime(2026, 11, 30, 6, tzinfo=UTC)


def test_a_counter_that_history_has_not_read_yet_is_read_in_the_next_quarter_hour(house: House, store: Store) -> None:
    """A meter that begins to export, or readings of a quarter-hour that were being written."""
    midnight, now = at("2026-11-30T00:00:00", 3), at("2026-11-30T00:01:00", 5, exported=7)
    assert kwh(begun(house, midnight)) == {"energy_import_today": "0.0000", "energy_import_month": "0.0000"}
    assert set(kwh(house.observe(now)[-1])) == {"energy_import_today", "energy_import_month"}
    house.read()
    house.record(now, later := at("2026-11-30T00:15:00", 9, exported=8))
    house.observe(later)
    house.read()
    assert kwh(house.observe(later)[-1])["energy_export_today"] == "0.0000"
    assert kwh(house.observe(at("2026-11-30T00:16:00", 9, exported=9))[-1])["energy_export_today"] == "0.0001"


def test_history_is_not_asked_without_end_about_a_meter_that_it_never_records(store: Store) -> None:
    asked = 0

    def counting() -> Store:
        nonlocal asked
        asked += 1
        return store

    tested, sample = PeriodEnergy(ZONE, counting), at("2026-11-30T10:00:01", 5)
    for second in range(0, 895, 5):
        tested.observe(replace(sample, received_at=sample.received_at + timedelta(seconds=second)))
        asyncio.run(tested.read_missing())
    assert asked == 8


def test_a_counter_that_restarts_is_not_counted_before_history_knows(house: House) -> None:
    samples = [at("2026-11-29T23:59:59", 5000), at("2026-11-30T00:00:01", 5002), at("2026-11-30T10:00:00", 7000)]
    begun(house, *samples)
    fresh = [at("2026-11-30T10:05:00", 3, epoch=1), at("2026-11-30T10:15:00", 13, epoch=1)]
    assert kwh(house.observe(fresh[0])[-1]) == {}
    house.read()
    assert kwh(house.observe(fresh[0])[-1]) == {}
    house.record(*fresh)
    house.observe(fresh[1])
    house.read()
    assert kwh(house.observe(at("2026-11-30T10:16:00", 20, epoch=1))[-1])["energy_import_today"] == "0.2016"


def test_a_register_that_is_not_sent_now_has_no_total(house: House) -> None:
    begun(house, at("2026-11-29T23:59:59", 1, exported=1), at("2026-11-30T00:00:01", 3, exported=1))
    assert set(kwh(house.observe(at("2026-11-30T00:00:03", 5))[-1])) == {"energy_import_today", "energy_import_month"}


def test_what_history_does_not_record_has_no_totals(house: House) -> None:
    sample = at("2026-11-30T00:00:03", 5)
    assert house.observe(replace(sample, reading=replace(sample.reading, channel=1))) == []
    begun(house, at("2026-11-29T23:59:59", 1), at("2026-11-30T00:00:01", 3))
    (totals,) = house.observe(replace(at("2026-12-01T10:00:00", 5), is_dated=False))
    assert totals.span.today == datetime(2026, 11, 29, 23, tzinfo=UTC)
