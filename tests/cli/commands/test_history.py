import time
from pathlib import Path

import pytest

from command import Run
from history.entries import METER, quarter_reading
from iskra_server.history.model.records import quarter_of
from iskra_server.history.store.checkup import repair
from iskra_server.history.store.store import Store


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """A history with a quarter of an hour ago, and one of next year."""
    store, quarter = Store(f"sqlite:///{tmp_path / 'iskra.sqlite'}"), quarter_of(time.time())
    store.write([quarter_reading(quarter - 1, 10), quarter_reading(quarter + 35_040, 20)], [METER])
    store.close()
    return tmp_path


def test_a_wrong_clock_is_found_repaired_and_cleared(spoilt: Path, run: Run) -> None:
    data_dir = str(spoilt)
    found = run("history", "check", IES_DATA_DIR=data_dir)
    assert found.returncode == 1
    assert f"Impossible time, in the future: {METER.meter_id}, 1 rows of quarters" in found.stdout
    dry = run("history", "repair", "--dry-run", IES_DATA_DIR=data_dir)
    assert (dry.returncode, "set aside" in dry.stdout) == (1, False)
    refused = run("history", "repair", IES_DATA_DIR=data_dir, stdin=b"n\n")
    assert (refused.returncode, "Nothing was changed." in refused.stderr) == (1, True)
    repaired = run("history", "repair", "--yes", IES_DATA_DIR=data_dir)
    assert (repaired.returncode, "1 rows are set aside" in repaired.stdout) == (0, True)
    again = run("history", "check", IES_DATA_DIR=data_dir)
    assert (again.returncode, "Set aside: " in again.stdout) == (1, True)
    assert run("history", "clear", "--dry-run", IES_DATA_DIR=data_dir).returncode == 1
    assert "1 rows are deleted." in run("history", "clear", "--yes", IES_DATA_DIR=data_dir).stdout
    clean = run("history", "check", IES_DATA_DIR=data_dir)
    assert (clean.returncode, clean.stdout) == (0, "All rows of history have possible times.\n")
    assert run("history", "clear", IES_DATA_DIR=data_dir).stdout == "Nothing is set aside.\n"


def test_what_was_set_aside_by_mistake_is_put_back(tmp_path: Path, run: Run) -> None:
    store, quarter = Store(f"sqlite:///{tmp_path / 'iskra.sqlite'}"), quarter_of(time.time())
    store.write([quarter_reading(quarter - 8, 10), quarter_reading(quarter - 1, 20)], [METER])
    # as by a clock that was an hour behind
    assert repair(store, time.time() - 3600) == 1
    store.close()
    data_dir = str(tmp_path)
    dry = run("history", "restore", "--dry-run", IES_DATA_DIR=data_dir)
    assert (dry.returncode, f"{METER.meter_id}, 1 rows of quarters" in dry.stdout) == (1, True)
    assert "1 rows are put back" in run("history", "restore", "--yes", IES_DATA_DIR=data_dir).stdout
    again = run("history", "restore", IES_DATA_DIR=data_dir)
    assert (again.returncode, again.stdout) == (0, "No row that was set aside has a possible time.\n")


def test_without_a_history_there_is_nothing_to_check(tmp_path: Path, run: Run) -> None:
    refused = run("history", "check", IES_DATA_DIR=str(tmp_path))
    assert (refused.returncode, "There is no history" in refused.stderr) == (2, True)
