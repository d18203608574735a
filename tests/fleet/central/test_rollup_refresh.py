"""Steps of the computation of roll-ups: shared by collectors, in any order with writers, and cut off anywhere."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from fleet.central.test_rollups import BERLIN, DAYS, check, name, set_members, write
from fleet.sums import due_count
from history.entries import wait_until
from iskra_server.fleet.central import rollup_refresh
from iskra_server.fleet.central.rollup_refresh import refresh
from iskra_server.fleet.central.rollups import read_roll
from iskra_server.history.model.records import QUARTER_S, Exact, QuarterReading
from iskra_server.history.store.schema import ALWAYS, rollup, rollup_due, rollup_part
from iskra_server.history.store.store import Store
from samples import IMPORT

METERS = range(1, 4)
SPANS = {name(number): (0, ALWAYS) for number in METERS}
TODAY_S = DAYS[2] * QUARTER_S + rollup_refresh.SETTLED_S
# October is over, and few days of November: each of them takes a step
EARLY_NOVEMBER_S = DAYS[-1] * QUARTER_S + rollup_refresh.SETTLED_S


def readings(number: int, first: int, end: int) -> list[QuarterReading]:
    return [
        QuarterReading(name(number), IMPORT, quarter, Exact((quarter - DAYS[0]) * number, -1), "measured")
        for quarter in range(first, end)
    ]


def refresh_all(store: Store, now_s: float = EARLY_NOVEMBER_S) -> None:
    while refresh(store, now_s, BERLIN):
        pass


def fill(store: Store) -> None:
    for number in METERS:
        write(store, readings(number, DAYS[0], DAYS[2] + 1))
    set_members(store, SPANS)


def cells(store: Store) -> list[tuple[object, ...]]:
    with store.transaction(write=False) as connection:
        return [tuple(row) for table in (rollup, rollup_part) for row in connection.execute(select(table))]


def test_days_that_are_over_come_first_then_earlier_ones(store: Store) -> None:
    fill(store)
    assert refresh(store, TODAY_S, BERLIN)
    roll = read_roll(store)
    assert roll and (roll.since, roll.open) == (DAYS[1], DAYS[2])
    refresh_all(store, TODAY_S)
    # today's mark stays
    with store.transaction(write=False) as connection:
        marks = {(row.begin_quarter, row.end_quarter) for row in connection.execute(select(rollup_due))}
    assert (DAYS[2], DAYS[3]) in marks
    assert due_count(store) == (0, None)
    assert check(store, SPANS, DAYS[:4]) == 2


def test_a_late_quarter_changes_its_days_alone(store: Store) -> None:
    fill(store)
    refresh_all(store)
    before = cells(store)
    with pytest.raises(AssertionError):
        # a test that could not fail: with a value that no mark announces the sum is wrong
        with store.transaction() as connection:
            connection.exec_driver_sql(f"DELETE FROM boundary WHERE quarter = {DAYS[1]}")
        check(store, SPANS, DAYS[:3])
    write(store, readings(1, DAYS[1], DAYS[1] + 1))
    # two days and their month
    assert due_count(store)[0] == 3
    for number in METERS:
        write(store, readings(number, DAYS[1], DAYS[1] + 1))
    check(store, SPANS, DAYS[:3])
    refresh_all(store)
    assert cells(store) == before


def test_a_step_that_is_cut_off_leaves_its_marks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    while refresh(store, TODAY_S, BERLIN) and not due_count(store)[0]:
        pass
    marks, compute = due_count(store), rollup_refresh.compute

    def killed(*arguments: object) -> None:
        compute(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(rollup_refresh, "compute", killed)
    with pytest.raises(KeyboardInterrupt):
        refresh(store, TODAY_S, BERLIN)
    assert (due_count(store), cells(store)) == (marks, [])
    monkeypatch.setattr(rollup_refresh, "compute", compute)
    refresh_all(store, TODAY_S)
    assert check(store, SPANS, DAYS[:3]) == 2


def test_another_zone_is_refused(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    fill(store)
    refresh_all(store, TODAY_S)
    with caplog.at_level(logging.ERROR):
        assert not refresh(store, TODAY_S, ZoneInfo("Europe/Athens"))
    assert "Europe/Berlin, and this collector is set to Europe/Athens" in caplog.text


@contextmanager
def in_background(*targets: object) -> Iterator[None]:
    threads = [threading.Thread(target=target) for target in targets]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_a_quarter_that_comes_while_its_day_is_computed_is_not_forgotten(
    central: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(central)
    refresh_all(central, TODAY_S)
    other = Store(central._database.url.render_as_string(hide_password=False).replace("+psycopg", ""))
    write(central, readings(1, DAYS[1], DAYS[1] + 1))
    compute, has_computed = rollup_refresh.compute, threading.Event()
    late = QuarterReading(name(1), IMPORT, DAYS[0] - 1, Exact(-7, -1), "measured")

    def is_waiting() -> bool:
        with central.transaction(write=False) as connection:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            return bool(connection.exec_driver_sql(waiting).scalar())

    def slow(*arguments: object) -> None:
        compute(*arguments)  # type: ignore[arg-type]
        if not has_computed.is_set():
            has_computed.set()
            # the writer waits for the mark that is about to be removed
            wait_until(is_waiting)

    monkeypatch.setattr(rollup_refresh, "compute", slow)

    def write_late() -> None:
        assert has_computed.wait(60)
        write(other, [late])

    write(central, readings(1, DAYS[0], DAYS[0] + 1))
    with in_background(write_late):
        refresh(central, TODAY_S, BERLIN)
    other.close()
    assert due_count(central)[0]
    check(central, SPANS, [DAYS[0] - 96, *DAYS[:3]])
    refresh_all(central, TODAY_S)
    assert check(central, SPANS, [DAYS[0] - 96, *DAYS[:3]]) == 3


@pytest.mark.slow
def test_two_collectors_share_the_work_while_readers_send(central: Store) -> None:
    fill(central)
    address = central._database.url.render_as_string(hide_password=False).replace("+psycopg", "")
    others = [Store(address), Store(address)]
    now_s = DAYS[5] * QUARTER_S + rollup_refresh.SETTLED_S

    def send() -> None:
        for at in range(0, 3 * 96, 24):
            for number in METERS:
                write(central, readings(number, DAYS[2] + at, DAYS[2] + at + 24))

    def compute_with(store: Store) -> None:
        for _ in range(60):
            refresh(store, now_s, BERLIN)

    with in_background(send, *(lambda store=store: compute_with(store) for store in others)):
        for _ in range(5):
            check(central, SPANS, DAYS[:6])
    for store in others:
        store.close()
    refresh_all(central, now_s)
    assert check(central, SPANS, DAYS[:6]) == 5
