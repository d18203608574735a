import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from command import Run
from fleet.batches import batch_of
from fleet.field import refusals
from history.entries import METER, QUARTER, quarter_reading
from history.postgres import Postgres, running
from iskra_server.fleet.central.conflicts import count_conflicts
from iskra_server.fleet.central.tables import Refusal, write_batch
from iskra_server.history.model.records import quarter_of
from iskra_server.history.store.store import Store
from running import wait_over_midnight


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running() as postgres:
        yield postgres


def test_months_are_made_ahead_and_old_ones_dropped(call: Run, postgres: Postgres) -> None:
    address = postgres.database()
    wait_over_midnight()
    done = call("prepare", "--ahead", "12", IES_DATABASE_URL=address)
    told = "There are partitions for this month and the next {}.\n"
    assert (done.returncode, done.stdout) == (0, "27 partitions are created.\n" + told.format(12))
    store = Store(address)
    store.write([quarter_reading(5)], [METER])
    store.close()
    done = call("prepare", "--forget-before", "2020-01", IES_DATABASE_URL=address)
    assert done.stdout == (
        f"36 partitions are created.\n0 partitions are dropped.\n{told.format(24)}"
        "1 rows lie in boundary_rest: of old months, or of a wrong clock (history check).\n"
    )


def test_old_refused_messages_and_conflicts_of_dropped_months_are_deleted(call: Run, postgres: Postgres) -> None:
    address = postgres.database()
    wait_over_midnight()
    now_s = int(time.time())
    with closing(Store(address)) as store:
        moments = now_s - 401 * 86_400, now_s - 399 * 86_400, now_s
        rows = [Refusal(at_s, "iskra/v1/cellar/quarters", "no json", b"?") for at_s in moments]
        for raw in (1, 2):
            records = [quarter_reading(quarter, raw) for quarter in (QUARTER, quarter_of(now_s))]
            write_batch(store, batch_of([*records], [METER], refused=rows))
            rows = []

        def left() -> tuple[int, int]:
            return len(refusals(store)), count_conflicts(store)

        assert left() == (3, 2)
        day = datetime.fromtimestamp(now_s - 400 * 86_400, UTC)
        assert f"1 refused messages of before {day:%Y-%m-%d} are deleted.\n" in call_prepare(call, address)
        assert left() == (2, 2)
        month = f"{datetime.now(UTC):%Y-%m}"
        told = call_prepare(call, address, "--forget-before", month)
        assert "1 values that differ, of these months, are deleted.\n" in told
        assert f"1 refused messages of before {month}-01 are deleted.\n" in told
        assert left() == (1, 1)
        assert "deleted" not in call_prepare(call, address)


def call_prepare(call: Run, address: str, *options: str) -> str:
    done = call("prepare", *options, IES_DATABASE_URL=address)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_misuse_is_one_sentence(call: Run) -> None:
    assert "Only PostgreSQL has partitions" in call("prepare").stderr
    done = call("prepare", "--forget-before", "May", IES_DATABASE_URL="postgresql://x/y")
    assert (done.returncode, "is not a month" in done.stderr) == (2, True)
