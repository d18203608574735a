import shutil
from pathlib import Path

from cli.recorded import history
from command import Run
from history.entries import METER, quarter_reading
from iskra_server.history.store.store import Store


def test_a_backup_becomes_the_history_and_the_old_one_is_kept(call: Run, tmp_path: Path) -> None:
    path = history(tmp_path, hours=1)
    call("backup", "copy.sqlite")
    history(tmp_path, hours=2)
    done = call("restore", "copy.sqlite")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{path} is restored. The previous history is kept as iskra.sqlite.replaced.\n"
    assert call("export", "--bucket", "hour").stdout.count("\n") == 2
    assert path.with_name("iskra.sqlite.replaced").exists()


def test_a_backup_is_restored_where_there_is_no_history(call: Run, tmp_path: Path) -> None:
    path = history(tmp_path, hours=1)
    call("backup", "copy.sqlite")
    shutil.rmtree(path.parent)
    assert call("restore", "copy.sqlite").stdout == f"{path} is restored.\n"
    assert call("export", "--bucket", "hour").stdout.count("\n") == 2


def test_a_history_in_use_is_not_replaced(call: Run, tmp_path: Path) -> None:
    path = history(tmp_path)
    call("backup", "copy.sqlite")
    store = Store(f"sqlite:///{path}")
    store.write([quarter_reading()], [METER])
    done = call("restore", "copy.sqlite")
    store.close()
    assert done.returncode == 2
    assert done.stderr == f"iskra-server: {path} is in use. Stop iskra-server, then restore again.\n"


def test_what_is_no_backup_is_refused_first(call: Run, tmp_path: Path) -> None:
    path = history(tmp_path)
    before = path.read_bytes()
    (tmp_path / "letter.txt").write_text("Dear landlord")
    done = call("restore", "letter.txt")
    assert done.returncode == 2
    assert done.stderr == (
        "iskra-server: letter.txt is not a database, so it is no backup; iskra-server import reads readings "
        "from a table.\n"
    )
    assert path.read_bytes() == before


def test_postgresql_has_its_own_program(call: Run) -> None:
    done = call("restore", "copy.sqlite", IES_DATABASE_URL="postgresql://x/y")
    assert done.returncode == 2
    assert done.stderr.endswith("Use its own program: pg_restore -d DATABASE FILE\n")


def test_a_folder_that_cannot_be_made_is_one_sentence(call: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = call("restore", "copy.sqlite", IES_DATA_DIR=str(tmp_path / "file/x"))
    assert done.returncode == 2
    assert done.stderr == f"iskra-server: {tmp_path}/file/x cannot be created: Not a directory; set history.data_dir.\n"
