from pathlib import Path

from cli.recorded import history
from command import Run
from iskra_server.history.store.backup import check_backup


def test_a_backup_is_a_whole_history(run: Run, call: Run, tmp_path: Path) -> None:
    history(tmp_path)
    done = run("backup", "copy.sqlite")
    check_backup(tmp_path / "copy.sqlite")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"copy.sqlite: {(tmp_path / 'copy.sqlite').stat().st_size:,} bytes.\n"
    assert call("backup", "copy.sqlite", "--quiet").stdout == ""


def test_without_a_history_nothing_is_written(call: Run, tmp_path: Path) -> None:
    done = call("backup", "copy.sqlite")
    assert done.returncode == 2
    assert "There is no history at" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_a_history_an_older_backup_stays_as_it_is(call: Run, tmp_path: Path) -> None:
    (tmp_path / "copy.sqlite").write_bytes(b"older")
    done = call("backup", "copy.sqlite")
    assert done.returncode == 2
    assert "There is no history at" in done.stderr
    assert (tmp_path / "copy.sqlite").read_bytes() == b"older"


def test_a_backup_that_cannot_be_written_is_one_sentence(call: Run, tmp_path: Path) -> None:
    history(tmp_path)
    done = call("backup", "/nowhere/copy.sqlite")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "/nowhere" in done.stderr


def test_postgresql_has_its_own_program(call: Run) -> None:
    done = call("backup", "copy.sqlite", IES_DATABASE_URL="postgresql://x/y")
    assert done.returncode == 2
    assert done.stderr == (
        "iskra-server: The history is in PostgreSQL. Use its own program: pg_dump -Fc -f FILE DATABASE\n"
    )
