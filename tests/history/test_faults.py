"""What can happen to a database, for real: each is a sentence, nothing is lost, and history catches up by itself."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from history import served
from history.entries import AT_S, METER, QUARTER, block, quarter_reading, wait_until
from history.postgres import Postgres
from iskra_server.history.recording.writer import Writer
from iskra_server.history.store import StoreError
from iskra_server.history.store.schema import VERSION_TABLE, VERSIONS
from iskra_server.history.store.store import Store
from running import DEADLINE_S
from samples import IMPORT, METER_ID

TESTS = Path(__file__).parent.parent


def in_a_file_system_of_its_own(scene: str, folder: Path) -> dict[str, object]:
    """Runs a scene of mounted.py; skips where mounting is not allowed."""
    namespace = ["unshare", "--mount", "--propagation", "private"]
    try:
        mounting = [*namespace, "mount", "-t", "tmpfs", "tmpfs", str(folder)]
        subprocess.run(mounting, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root may mount a small file system")
    done = subprocess.run(
        [*namespace, sys.executable, str(TESTS / "history" / "mounted.py"), scene, str(folder)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=2 * DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = msgspec.json.decode(done.stdout)
    return found


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    assert in_a_file_system_of_its_own("full", tmp_path) == {
        "sentence": "The disk that holds FILE is full. Make room; history then catches up by itself.",
        "waits": True,
        "kept": True,
        "complete": True,
        "dropped": 0,
        "check": "ok",
    }


def test_a_read_only_data_directory_is_named(tmp_path: Path) -> None:
    sentence = "DIR is read-only. Mount it writable, or set history.data_dir to another directory."
    assert in_a_file_system_of_its_own("readonly", tmp_path) == {"iskra.sqlite": sentence, "new.sqlite": sentence}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
@pytest.mark.parametrize("exists", [True, False])
def test_a_data_directory_of_another_user_is_named(tmp_path: Path, exists: bool) -> None:
    folder = tmp_path / "data"
    if exists:
        Store(f"sqlite:///{folder}/iskra.sqlite").close()
    os.seteuid(65534)
    try:
        with pytest.raises(StoreError) as caught:
            Store(f"sqlite:///{folder}/iskra.sqlite")
    finally:
        os.seteuid(0)
    expected = f"{folder}/iskra.sqlite may not be written. Let user 65534 write to {folder}, or set history.data_dir."
    assert str(caught.value) == expected


def test_a_postgresql_that_is_stopped_for_a_while_loses_nothing(postgres: Postgres) -> None:
    address = postgres.database()
    writer = Writer(lambda: Store(address), together_s=0.01, first_retry_s=0.05)
    writer.start()
    writer.enqueue([quarter_reading(QUARTER)], METER)
    wait_until(lambda: writer.state.last_flush is not None)
    store = writer.store
    assert store
    postgres.stop()
    try:
        writer.enqueue([quarter_reading(QUARTER + 1), block()], METER)
        wait_until(lambda: not writer.state.ok)
        wait_until(lambda: "cannot be reached" in writer.state.sentence)
        assert (writer.state.pending_ledger, writer.state.pending_points) == (1, 60)
        with pytest.raises(StoreError, match="cannot be reached"):
            store.meters()
    finally:
        postgres.start()
    wait_until(lambda: writer.state.ok)
    assert writer.store
    known = writer.store.quarter_readings_between(METER_ID, IMPORT, 0, QUARTER + 2)
    assert known == [quarter_reading(QUARTER), quarter_reading(QUARTER + 1)]
    assert writer.store.points_between(METER_ID, AT_S, AT_S + 1) == [block()]
    writer.close()


def test_a_postgresql_that_was_started_again_is_read_without_an_error(postgres: Postgres) -> None:
    store = Store(postgres.database())
    store.write([quarter_reading()], [METER])
    assert store.meters() == [METER]
    postgres.stop()
    postgres.start()
    assert store.meters() == [METER]
    store.write([quarter_reading(QUARTER + 1)])
    store.close()


SERVED = {
    "value": 12345.678,
    "unit": "kWh",
    "energy": 503,
    "waits": "still to be written: 1 telegram, nothing is lost.",
}


def test_a_server_whose_disk_is_full_still_serves_the_meter(tmp_path: Path) -> None:
    sentence = "The disk that holds DIR/iskra.sqlite is full. Make room; history then catches up by itself."
    assert in_a_file_system_of_its_own("serve_full", tmp_path) == {**SERVED, "history": sentence}


def test_a_server_whose_data_directory_is_read_only_still_serves_the_meter(tmp_path: Path) -> None:
    sentence = "DIR is read-only. Mount it writable, or set history.data_dir to another directory."
    assert in_a_file_system_of_its_own("serve_readonly", tmp_path) == {**SERVED, "history": sentence}


def test_a_server_whose_database_is_newer_still_serves_the_meter(tmp_path: Path) -> None:
    file = tmp_path / "iskra.sqlite"
    Store(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    data = file.read_bytes()
    sentence = (
        f"DIR/iskra.sqlite was written by a newer iskra-server (schema 9999, this one knows {VERSIONS[-1]}). "
        "Install the newer version again."
    )
    assert served.answers(tmp_path) == {**SERVED, "history": sentence}
    assert file.read_bytes() == data


def test_a_server_whose_file_is_no_database_still_serves_the_meter(tmp_path: Path) -> None:
    file = tmp_path / "iskra.sqlite"
    file.write_bytes(b"something else\n" * 1000)
    sentence = "DIR/iskra.sqlite is not a database. Move it away, or restore a backup with iskra-server restore."
    assert served.answers(tmp_path) == {**SERVED, "history": sentence}
    assert file.read_bytes() == b"something else\n" * 1000
