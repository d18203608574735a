import errno
import sqlite3
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import TimeoutError as PoolTimeout

from history.postgres import GUARDED, PASSWORD, Postgres
from iskra_server.history.store import StoreError
from iskra_server.history.store.database_errors import display_name, store_error
from iskra_server.history.store.opening import open_database
from iskra_server.history.store.store import Store

URL = make_url("sqlite:////data/iskra.sqlite")


def refusal(address: str) -> str:
    with pytest.raises(StoreError) as caught:
        open_database(address)
    return str(caught.value)


def test_a_password_is_never_shown(postgres: Postgres) -> None:
    url = make_url("postgresql://landlord:secret@db.example/iskra")
    assert display_name(url) == "postgresql://landlord:***@db.example/iskra"
    for address in (f"postgresql://{GUARDED}:secret@127.0.0.1:{postgres.port}/postgres", "postgresql://a:secret@:x"):
        assert "secret" not in refusal(address)


def test_a_wrong_password(postgres: Postgres) -> None:
    address = f"postgresql://{GUARDED}:wrong@127.0.0.1:{postgres.port}/postgres"
    expected = (
        f"PostgreSQL at 127.0.0.1:{postgres.port} refuses the password of guarded. Correct it in history.database_url."
    )
    assert refusal(address) == expected


def test_no_password(postgres: Postgres) -> None:
    assert "asks guarded for a password. Add it" in refusal(postgres.url("postgres", GUARDED))


def test_the_right_password(postgres: Postgres) -> None:
    postgres.run(f"CREATE DATABASE own OWNER {GUARDED}")
    password = PASSWORD.replace("/", "%2F")
    Store(f"postgres://{GUARDED}:{password}@127.0.0.1:{postgres.port}/own").close()


def test_a_missing_database(postgres: Postgres) -> None:
    assert refusal(postgres.url("nowhere")).endswith(
        "has no database nowhere. Create it: createdb --owner iskra nowhere."
    )


def test_an_unknown_user(postgres: Postgres) -> None:
    assert "knows no user stranger. Create it" in refusal(postgres.url("postgres", "stranger"))


@pytest.mark.parametrize("right", ["GRANT USAGE ON SCHEMA public TO reader", "SELECT 'none'"])
def test_a_user_without_the_right_to_create_tables(postgres: Postgres, right: str) -> None:
    address = postgres.database()
    postgres.run("DROP ROLE IF EXISTS reader")
    postgres.run("CREATE USER reader")
    postgres.run(right)
    sentence = refusal(address.replace("iskra@", "reader@"))
    assert "denies reader a right" in sentence
    assert "Make reader the owner of postgres" in sentence
    postgres.database()


def test_a_server_that_is_not_there() -> None:
    # port 9 is "discard"; nothing listens
    sentence = refusal("postgresql://iskra@127.0.0.1:9/iskra")
    assert sentence.startswith("PostgreSQL at 127.0.0.1:9 cannot be reached (")
    assert sentence.endswith("Start it, or correct history.database_url.")


def test_a_missing_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    expected = "PostgreSQL needs a driver: pip install 'iskra-electricity-server[postgres]'."
    assert refusal("postgresql://iskra@127.0.0.1:9/iskra") == expected


def test_a_file_that_is_no_database(file: Path) -> None:
    file.write_bytes(b"1.8.0 107323.091 kWh\n" * 100)
    expected = f"{file} is not a database. Move it away, or restore a backup with iskra-server restore."
    assert refusal(f"sqlite:///{file}") == expected
    assert file.read_bytes().startswith(b"1.8.0")


def test_a_directory_in_the_place_of_the_file(file: Path) -> None:
    file.mkdir()
    assert refusal(f"sqlite:///{file}") == f"{file} is a directory. Name a file in it."


def test_a_file_in_the_place_of_the_directory(file: Path) -> None:
    file.touch()
    assert refusal(f"sqlite:///{file}/iskra.sqlite").startswith(f"{file}/iskra.sqlite cannot be used (")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (sqlite3.SQLITE_FULL, "The disk that holds /data/iskra.sqlite is full. Make room; history then catches up"),
        (sqlite3.SQLITE_IOERR_WRITE, "The disk that holds /data/iskra.sqlite reports an error (said). Check the disk"),
        (sqlite3.SQLITE_CORRUPT, "/data/iskra.sqlite is damaged (said). Restore a backup"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "/data/iskra.sqlite is locked by another program. Find it with sudo fuser"),
        (sqlite3.SQLITE_CANTOPEN, "The directory /data does not exist. Create it, or set history.data_dir."),
        (sqlite3.SQLITE_MISUSE, "/data/iskra.sqlite cannot be used as history: said."),
    ],
)
def test_errors_of_sqlite_become_sentences(code: int, sentence: str) -> None:
    error = sqlite3.OperationalError("said")
    error.sqlite_errorcode = code
    assert str(store_error(URL, error)).startswith(sentence)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, "/data/iskra.sqlite may not be written. Let user"),
        (errno.EROFS, "/data is read-only. Mount it writable, or set history.data_dir to another directory."),
        (errno.ENOSPC, "The disk that holds /data/iskra.sqlite is full."),
        (errno.ENAMETOOLONG, "/data/iskra.sqlite cannot be used (said). Set history.data_dir to another directory."),
    ],
)
def test_errors_of_the_system_become_sentences(number: int, sentence: str) -> None:
    assert str(store_error(URL, OSError(number, "said"))).startswith(sentence)


def test_too_many_questions_at_once() -> None:
    assert "is too busy" in str(store_error(URL, PoolTimeout("QueuePool limit")))
