"""Energy and cost of today and of this month, from the answers of the real server about a real history."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from homeassistant_integration.pure import module
from iskra_server.cost.contracts import Contract
from iskra_server.history.model.records import EpochStart, Exact, MeterInfo, QuarterReading, quarter_of
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT, METER_ID, SERVER_ID
from web.past import BERLIN, NAME
from web.serving import Site

periods = module("periods")
model = module("model")
ZONE = ZoneInfo(BERLIN)
INFO = MeterInfo(METER_ID, SERVER_ID.hex(), False, 0, 0)
NAMES = ("energy_import", "energy_export")
CONTRACT = Contract(begins=date(2025, 1, 1), energy_price=Decimal("0.30"))


class Past:
    """A history with readings in 0.1 Wh by the clock on the wall."""

    def __init__(self, store: Store, *contracts: Contract) -> None:
        self._store = store
        self._site = Site(history=store, contracts=contracts)

    def record(self, readings: dict[str, int], *, exported: bool = False, epoch: int = 0) -> None:
        obis = EXPORT if exported else IMPORT
        records = [
            QuarterReading(METER_ID, obis, quarter_of(at(text).timestamp()), Exact(raw, -1), "measured", epoch)
            for text, raw in readings.items()
        ]
        self._store.write(records, [INFO])

    def restart(self, text: str, before: int, after: int) -> None:
        start = EpochStart(METER_ID, IMPORT, 1, int(at(text).timestamp()), Exact(before, -1), Exact(after, -1))
        self._store.write([start], [INFO])

    def energy(self, day: str, *sent: str) -> Any:
        return periods.period_from(self._ask("energy", day), sent or ("energy_import",))

    def cost(self, day: str) -> Any:
        return periods.cost_from(self._ask("cost", day))

    def _ask(self, route: str, day: str) -> Any:
        answer = self._site.get(f"/api/v1/meters/{NAME}/{route}?from={day}&bucket=day&tz={BERLIN}")
        return model.decode(answer.content)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def meter(text: str, *kwh: str, epoch: int = 0, names: Sequence[str] = NAMES) -> Any:
    """As a telegram at this time tells it: imported energy, and exported energy where it has it."""
    registers = {
        name: model.MeterRegister(name, "1-0:1.8.0", name, name, value, "kWh", 4)
        for name, value in zip(names, kwh, strict=False)
    }
    given = dict.fromkeys(("server_id", "maker", "family", "locked"))
    return model.Meter(
        **given,
        id=METER_ID,
        medium="electricity",
        source="test",
        simulated=False,
        epoch=epoch,
        age_s=0.0,
        stale_after_s=60.0,
        last_seen=at(text),
        is_sub_meter=False,
        registers=registers,
    )


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    store = Store(f"sqlite:///{tmp_path / 'history.sqlite'}")
    yield Past(store)
    store.close()


def test_the_counter_now_is_added_to_what_history_has_counted(past: Past) -> None:
    past.record({"2025-06-02T00:00": 100_000, "2025-06-02T09:45": 112_345})
    past.record({"2025-06-02T00:00": 7, "2025-06-02T09:45": 9}, exported=True)
    today = past.energy("2025-06-02")
    assert today.energy_kwh("energy_import", meter("2025-06-02T09:50", "11.2347")) == Decimal("1.2347")
    exported = meter("2025-06-02T09:50", "0.0010", names=("energy_export",))
    assert today.energy_kwh("energy_export", exported) == Decimal("0.0003")
    assert {counted.since for counted in today.counted.values()} == {None}
    assert not today.is_complete


@pytest.mark.parametrize(("day", "hours"), [("2025-03-30", 23), ("2025-10-26", 25), ("2025-06-02", 24)])
def test_a_day_is_that_of_the_clock_on_the_wall(past: Past, day: str, hours: int) -> None:
    past.record({f"{day}T00:00": 1_000, f"{day}T23:45": 2_000})
    today = past.energy(day)
    assert (today.end - today.begin).total_seconds() == hours * 3600
    for inside in ("00:00", "23:59"):
        assert today.holds(meter(f"{day}T{inside}", "0.2"))
    assert today.energy_kwh("energy_import", meter(f"{day}T23:59", "0.2001")) == Decimal("0.1001")


def test_after_midnight_there_is_no_number_until_history_has_the_reading_of_midnight(past: Past) -> None:
    past.record({"2025-06-02T00:00": 1_000, "2025-06-02T23:45": 2_000})
    today, now = past.energy("2025-06-02"), meter("2025-06-03T00:00", "0.2100")
    assert today.energy_kwh("energy_import", now) is None
    assert past.energy("2025-06-03") is None
    past.record({"2025-06-03T00:00": 2_090})
    ended, new = past.energy("2025-06-02"), past.energy("2025-06-03")
    assert (ended.is_complete, ended.end) == (True, new.begin)
    assert ended.energy_kwh("energy_import", now) == Decimal("0.1090")
    assert new.energy_kwh("energy_import", now) == Decimal("0.0010")


def test_a_meter_that_was_first_read_later_says_since_when(past: Past) -> None:
    past.record({"2025-06-02T08:00": 1_000, "2025-06-02T09:00": 1_500})
    (counted,) = past.energy("2025-06-02").counted.values()
    assert (counted.since, counted.energy_kwh) == (at("2025-06-02T08:00"), Decimal("0.0500"))


def test_a_counter_that_restarted_counts_once_history_has_it(past: Past) -> None:
    past.record({"2025-06-02T00:00": 1_000, "2025-06-02T09:00": 1_500})
    assert past.energy("2025-06-02").energy_kwh("energy_import", meter("2025-06-02T09:05", "9.9", epoch=1)) is None
    past.restart("2025-06-02T09:02", 1_510, 90_000)
    past.record({"2025-06-02T09:15": 90_004}, epoch=1)
    now = meter("2025-06-02T09:16", "9.0006", epoch=1)
    assert past.energy("2025-06-02").energy_kwh("energy_import", now) == Decimal("0.0516")


def test_a_counter_below_its_newest_reading_has_no_number(past: Past) -> None:
    past.record({"2025-06-02T00:00": 1_000, "2025-06-02T09:00": 1_500})
    assert past.energy("2025-06-02").energy_kwh("energy_import", meter("2025-06-02T09:01", "0.1499")) is None
    assert past.energy("2025-06-02").energy_kwh("energy_export", meter("2025-06-02T09:01", "0.1")) is None


def test_a_counter_that_history_has_not_read_yet_is_asked_for_again(past: Past) -> None:
    """The answer was computed while the readings of midnight were written: those of one counter were there."""
    past.record({"2025-06-02T00:00": 1_000, "2025-06-02T23:45": 2_000})
    past.record({"2025-06-02T00:00": 7, "2025-06-02T23:45": 9, "2025-06-03T00:00": 9}, exported=True)
    now = meter("2025-06-03T00:00", "0.2100", "0.0009")
    new = past.energy("2025-06-03", *NAMES)
    assert (new.lacks(NAMES), new.is_behind(now)) == (True, True)
    # nor is the day before complete
    assert not past.energy("2025-06-02", *NAMES).is_complete
    past.record({"2025-06-03T00:00": 2_090})
    new = past.energy("2025-06-03", *NAMES)
    assert (new.lacks(NAMES), new.is_behind(now)) == (False, False)
    assert past.energy("2025-06-02", *NAMES).is_complete
    assert new.is_behind(meter("2025-06-03T00:15", "0.2100", "0.0009"))


def test_a_counter_that_is_no_longer_sent_holds_up_nothing(past: Past) -> None:
    past.record({"2025-06-02T00:00": 1_000, "2025-06-02T09:00": 1_500})
    past.record({"2025-06-02T00:00": 7, "2025-06-02T08:00": 9}, exported=True)
    now = meter("2025-06-02T09:05", "0.1501")
    today = past.energy("2025-06-02", *periods.counters_of(now))
    assert (today.newest, today.is_behind(now)) == (at("2025-06-02T09:00"), False)
    assert today.is_behind(meter("2025-06-02T09:05", "0.1501", "0.0009")) is False
    assert past.energy("2025-06-02", *NAMES).is_behind(meter("2025-06-02T09:05", "0.1501", "0.0009"))


def test_cost_is_that_of_the_contract_and_none_without_one(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'history.sqlite'}")
    past = Past(store, CONTRACT)
    past.record({"2025-06-02T00:00": 0, "2025-06-02T09:00": 100_000})
    cost = past.cost("2025-06-02")
    assert (cost.amount, cost.currency, cost.unpriced_kwh) == (Decimal(3), "EUR", 0)
    store.close()


def test_energy_whose_price_is_not_known_is_told_beside_the_cost() -> None:
    total = {"total_amount": Decimal("1.5"), "unpriced_import_wh": 1200, "unpriced_export_wh": Decimal("0.5")}
    assert periods.cost_from({"currency": "EUR", "total": total}).unpriced_kwh == Decimal("1.2005")
    assert periods.cost_from({"buckets": []}) is None
