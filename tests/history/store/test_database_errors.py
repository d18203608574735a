import errno
import sqlite3
import sys
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from history.entries import METER
from history.postgres import GUARDED, PASSWORD, Postgres
from history.store.freezing import FROZEN, load
from iskra_server.base.installation import how_to_add
from iskra_server.history.store import DatabaseAway, StoreError
from iskra_server.history.store.database_errors import (
    database_message,
    display_name,
    is_data_error,
    is_outage,
    store_error,
)
from iskra_server.history.store.opening import open_database
from iskra_server.history.store.schema import VERSIONS
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
    assert "Use the owner of postgres for this" in sentence
    postgres.database()


def test_a_server_that_is_not_there() -> None:
    # port 9 is "discard"; nothing listens
    sentence = refusal("postgresql://iskra@127.0.0.1:9/iskra")
    assert sentence.startswith("PostgreSQL at 127.0.0.1:9 cannot be reached (")
    assert sentence.endswith("Start it, or correct history.database_url.")


def test_a_missing_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    expected = f"PostgreSQL needs a driver: {how_to_add('postgres')}."
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


POSTGRESQL = make_url("postgresql+psycopg://iskra:secret@db.example/iskra")


def of_postgresql(state: str) -> StoreError:
    """The error that PostgreSQL reports with this SQLSTATE, as SQLAlchemy passes it on."""
    orig = psycopg.errors.lookup(state)("it says so")
    error = DBAPIError.instance("SELECT", {}, orig, psycopg.Error)
    assert isinstance(error, DBAPIError)
    found = store_error(POSTGRESQL, error)
    found.__cause__ = error
    return found


@pytest.mark.parametrize("state", ["22001", "22003", "22021", "22P05", "23502", "23514"])
def test_only_what_the_content_of_a_row_can_cause_is_its_fault(state: str) -> None:
    error = of_postgresql(state)
    assert is_data_error(error)
    assert not is_outage(error)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("08006", "has lost a connection, or does not reach one of its nodes (it says so). See that all of them run."),
        (
            "25006",
            "lets iskra only read (it says so). After an upgrade run iskra-server prepare as the owner of iskra;",
        ),
        ("40P01", "gave way to another program that uses the same rows (it says so). Try again."),
        ("42501", "denies iskra a right (it says so). Use the owner of iskra for this. At a central server the owner"),
        ("53100", "is out of room or connections (it says so). Make room;"),
        ("53400", "has reached a limit of its configuration (it says so). Raise it there."),
        ("57P03", "went away (it says so). Start it again."),
        ("58030", "cannot use its files (it says so). Check its disk, and see its log."),
        ("XX000", "has an internal error (it says so). See its log."),
    ],
)
def test_an_outage_is_never_the_fault_of_a_row(state: str, sentence: str) -> None:
    error = of_postgresql(state)
    assert str(error).startswith(f"PostgreSQL at db.example:5432 {sentence}")
    assert is_outage(error)
    assert not is_data_error(error)


@pytest.mark.parametrize("state", ["2200H", "22P02", "23503", "23505", "42P01", "54000", "55000"])
def test_every_other_error_is_neither(state: str) -> None:
    error = of_postgresql(state)
    assert (is_data_error(error), is_outage(error)) == (False, False)


def test_a_nul_in_a_text_is_the_fault_of_the_row(postgres: Postgres) -> None:
    store = Store(postgres.database())
    with pytest.raises(StoreError, match=r"refuses a value \(PostgreSQL text fields cannot contain NUL") as caught:
        store.write([], [replace(METER, meter_id="a\0b")])
    assert is_data_error(caught.value)
    store.close()


def test_what_the_database_says_names_no_address() -> None:
    assert database_message(of_postgresql("22003")) == "it says so"


def test_a_server_that_starts_may_come_back(postgres: Postgres) -> None:
    with pytest.raises(DatabaseAway):
        open_database("postgresql://iskra@127.0.0.1:9/iskra")
    with pytest.raises(StoreError) as caught:
        open_database(postgres.url("nowhere"))
    assert not isinstance(caught.value, DatabaseAway)


def test_old_tables_of_another_user_are_left_to_their_owner(postgres: Postgres) -> None:
    address = postgres.database()
    load(FROZEN / "0005.postgresql.sql", address)
    postgres.run("DROP ROLE IF EXISTS reader")
    postgres.run("CREATE USER reader")
    postgres.run("GRANT USAGE ON SCHEMA public TO reader")
    postgres.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    assert refusal(address.replace("iskra@", "reader@")).endswith(
        f"has the tables of an older version (schema 0005, this one needs {VERSIONS[-1]}), and they do not belong to "
        "reader. Run iskra-server prepare as their owner, then roles.sql."
    )
    postgres.database()
