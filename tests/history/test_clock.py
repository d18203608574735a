"""The wall clock against history, from the telegram to the answer: clocks that jump, and days that have 23 or 25 hours.

The counter of the telegrams grows by a tenth of a watt-hour in each second of the monotonic clock.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from history.entries import wait_until
from iskra_server.base.clock import SETTLE_S, Clock
from iskra_server.history.model.energy import Energies, bucket_edges
from iskra_server.history.model.energy import energy_in_buckets as energy_of
from iskra_server.history.model.records import quarter_of
from iskra_server.history.points.points import unpack
from iskra_server.history.recording.recorder import Recorder
from iskra_server.history.recording.writer import Writer
from iskra_server.history.store.checkup import clock_steps, find_impossible, list_set_aside
from iskra_server.history.store.store import Store
from iskra_server.meter.reading import Sample
from running import DEADLINE_S
from samples import IMPORT, METER_ID, START, energy, power, sample

BERLIN = ZoneInfo("Europe/Berlin")
EVERY_S = 20
QUARTER = quarter_of(START.timestamp())
HOUR_S = 3600


def telegrams(first_s: int, last_s: int, clock_s: int = 0, start: datetime = START) -> list[Sample]:
    """From one second after the start until another; the wall clock shows `clock_s` more."""
    return [
        replace(
            sample(energy(second), power(360), at_s=float(second)),
            received_at=start + timedelta(seconds=second + clock_s),
        )
        for second in range(first_s, last_s, EVERY_S)
    ]


async def given(samples: Iterable[Sample]) -> AsyncGenerator[Sample, None]:
    for each in samples:
        yield each


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first question to the database may take longer on a busy machine, and nothing here waits for an archive."""
    monkeypatch.setattr("iskra_server.history.recording.recorder._RESUME_WITHIN_S", 60.0)


def recorded(path: Path, samples: list[Sample]) -> Store:
    address = f"sqlite:///{path / 'iskra.sqlite'}"
    writer = Writer(lambda: Store(address), together_s=0.01)
    writer.start()
    wait_until(lambda: writer.caught_up)
    clock = Clock(synchronised=lambda: False, has_own=True)
    recorder = Recorder(writer=writer, flush_s=60, keep_points=True, simulated=False, clock=clock)
    asyncio.run(recorder.run(given(samples)))
    recorder.close()
    state = writer.close(DEADLINE_S)
    assert (state.ok, state.pending_ledger, state.refused) == (True, 0, 0)
    return Store(address)


def energies(store: Store, begin: datetime, end: datetime, tz: ZoneInfo = BERLIN) -> Energies:
    """By hour, as the database knows it."""
    at = bucket_edges(begin, end, "hour", tz)
    return energy_of(
        at,
        lambda quarters: store.quarter_readings(METER_ID, IMPORT, quarters),
        lambda quarter: store.nearest_before(METER_ID, IMPORT, quarter),
        lambda quarter: store.nearest_after(METER_ID, IMPORT, quarter),
        store.epochs(METER_ID, IMPORT),
    )


@pytest.mark.parametrize("at_s", [2 * HOUR_S, 2 * HOUR_S + 440])
@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
def test_a_clock_that_jumps_an_hour_loses_no_energy_and_invents_none(tmp_path: Path, at_s: int, jump_s: int) -> None:
    end_s = 5 * HOUR_S
    samples = [*telegrams(0, at_s), *telegrams(at_s, end_s + EVERY_S, jump_s)]
    store = recorded(tmp_path, samples)
    found = store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31)
    quarters = [each.quarter for each in found]
    assert quarters == sorted(set(quarters))
    # every reading tells what the counter showed at some moment when the clock showed it
    for each in found:
        shown_s = (each.quarter - QUARTER) * 900
        assert each.value.raw in (shown_s, shown_s - jump_s)
    assert all(earlier.value.raw <= later.value.raw for earlier, later in pairwise(found))
    answer = energies(store, START, START + timedelta(seconds=end_s + jump_s))
    assert answer.total_wh is not None
    assert answer.total_wh * 10 == end_s
    parts = [bucket.energy_wh for bucket in answer.buckets if bucket.energy_wh is not None]
    assert sum(parts) + sum(gap.energy_wh for gap in answer.gaps) == answer.total_wh
    assert not answer.epochs
    store.close()


def test_a_clock_that_jumps_back_and_is_set_right_leaves_no_trace_but_a_gap(tmp_path: Path) -> None:
    wrong, right, end_s = 2 * HOUR_S + 440, 3 * HOUR_S + 440, 5 * HOUR_S
    samples = [*telegrams(0, wrong), *telegrams(wrong, right, -HOUR_S), *telegrams(right, end_s + EVERY_S)]
    store = recorded(tmp_path, samples)
    found = store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31)
    assert [(each.quarter - QUARTER) * 900 for each in found] == [each.value.raw for each in found]
    (gap,) = energies(store, START, START + timedelta(seconds=end_s)).gaps
    assert ((gap.begin - QUARTER) * 900, (gap.end - QUARTER) * 900) == (2 * HOUR_S, 3 * HOUR_S + 900)
    assert gap.energy_wh * 10 == HOUR_S + 900
    store.close()


YEAR_S = 365 * 86_400


@pytest.mark.parametrize("ahead_s", [60, 1100])
def test_a_clock_that_ran_a_year_ahead_costs_what_it_took_and_no_more(tmp_path: Path, ahead_s: int) -> None:
    """Right for an hour, a year ahead for a minute or longer than it takes to be believed, then right again."""
    wrong, right, end_s = HOUR_S - 20, HOUR_S - 20 + ahead_s, 3 * HOUR_S
    samples = [*telegrams(0, wrong), *telegrams(wrong, right, YEAR_S), *telegrams(right, end_s + EVERY_S)]
    store = recorded(tmp_path, samples)
    assert find_impossible(store, START.timestamp() + end_s) == []
    found = store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31)
    assert [(each.quarter - QUARTER) * 900 for each in found] == [each.value.raw for each in found]
    shown = {each.quarter - QUARTER for each in found}
    # a minute of it is nothing: it was never believed, and what came meanwhile is placed by boot time
    assert set(range(13)) - shown <= (set() if ahead_s == 60 else {4, 5})
    assert bool(list_set_aside(store)) == (ahead_s > SETTLE_S)
    answer = energies(store, START, START + timedelta(seconds=end_s))
    assert answer.total_wh is not None
    assert answer.total_wh * 10 == end_s
    store.close()


def test_history_that_has_lain_in_the_future_for_long_is_recorded_on_at_once(tmp_path: Path) -> None:
    recorded(tmp_path, telegrams(0, HOUR_S, YEAR_S)).close()
    store = recorded(tmp_path, telegrams(HOUR_S, 2 * HOUR_S + EVERY_S))
    found = store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31)
    assert [each.quarter - QUARTER for each in found] == [4, 5, 6, 7, 8]
    assert find_impossible(store, START.timestamp() + 2 * HOUR_S) == []
    assert list_set_aside(store)
    store.close()


def test_a_clock_that_is_set_forward_and_stays_so_loses_two_minutes_of_telegrams_but_for_some(tmp_path: Path) -> None:
    samples = [*telegrams(0, HOUR_S), *telegrams(HOUR_S, 2 * HOUR_S, HOUR_S)]
    store = recorded(tmp_path, samples)
    blocks = store.points_between(METER_ID, 0, 2**40)
    kept = [point.registers[0].raw for block in blocks for point in unpack(block.data)]
    doubtful = range(HOUR_S, HOUR_S + int(SETTLE_S))
    assert [raw for raw in sorted(kept) if raw not in doubtful] == [
        second for second in range(0, 2 * HOUR_S, EVERY_S) if second not in doubtful
    ]
    assert len([raw for raw in kept if raw in doubtful]) >= SETTLE_S / 60
    (step,) = clock_steps(store)
    assert (step.to_s - step.from_s, step.reason) == (HOUR_S, "stepped")
    store.close()


@pytest.mark.parametrize(("day", "hours"), [(datetime(2026, 3, 29), 23), (datetime(2026, 10, 25), 25)])  # noqa: DTZ001
def test_the_days_when_the_clocks_change_have_all_their_hours(tmp_path: Path, day: datetime, hours: int) -> None:
    begin = day.replace(tzinfo=BERLIN).astimezone(UTC)
    end = (day + timedelta(days=1)).replace(tzinfo=BERLIN).astimezone(UTC)
    store = recorded(tmp_path, telegrams(0, hours * HOUR_S + EVERY_S, start=begin))
    answer = energies(store, begin, end)
    assert [bucket.energy_wh for bucket in answer.buckets] == [360] * hours
    assert {bucket.quality for bucket in answer.buckets} == {"measured"}
    assert answer.total_wh == 360 * hours
    assert not answer.gaps
    assert len(store.power_between(METER_ID, 0, 2**31)) in (hours * 4, hours * 4 + 1)
    store.close()
