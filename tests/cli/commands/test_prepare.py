from collections.abc import Iterator

import pytest

from command import Run
from history.postgres import Postgres, running


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running() as postgres:
        yield postgres


def test_months_are_made_ahead_and_old_ones_dropped(call: Run, postgres: Postgres) -> None:
    address = postgres.database()
    done = call("prepare", "--ahead", "12", IES_DATABASE_URL=address)
    assert (done.returncode, done.stdout) in [(0, f"{3 * more} partitions are created.\n") for more in (8, 9, 10)]
    done = call("prepare", "--forget-before", "2020-01", IES_DATABASE_URL=address)
    assert done.stdout.endswith("0 partitions are dropped.\n")


def test_misuse_is_one_sentence(call: Run) -> None:
    assert "Only PostgreSQL has partitions" in call("prepare").stderr
    done = call("prepare", "--forget-before", "May", IES_DATABASE_URL="postgresql://x/y")
    assert (done.returncode, "is not a month" in done.stderr) == (2, True)
