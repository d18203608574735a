from collections.abc import Iterator

import pytest

from command import Run
from history.entries import METER, quarter_reading
from history.postgres import Postgres, running
from iskra_server.history.store.store import Store


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running() as postgres:
        yield postgres


def test_months_are_made_ahead_and_old_ones_dropped(call: Run, postgres: Postgres) -> None:
    address = postgres.database()
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


def test_misuse_is_one_sentence(call: Run) -> None:
    assert "Only PostgreSQL has partitions" in call("prepare").stderr
    done = call("prepare", "--forget-before", "May", IES_DATABASE_URL="postgresql://x/y")
    assert (done.returncode, "is not a month" in done.stderr) == (2, True)
