import fcntl
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import create_engine, inspect, text

from history.entries import METER, QUARTER, quarter_reading
from history.postgres import Postgres
from iskra_server.history.store import StoreError, migrations, schema
from iskra_server.history.store import sqlite as sqlite_module
from iskra_server.history.store.database import Database
from iskra_server.history.store.migrations import upgrade
from iskra_server.history.store.opening import open_database
from iskra_server.history.store.schema import PARTITIONED, VERSION_TABLE, VERSIONS, metadata
from iskra_server.history.store.sqlite import PAGE_BYTES
from iskra_server.history.store.store import Store
from samples import IMPORT, METER_ID

# the next schema, as a later release may bring it
NEXT = "9999"
SCRIPT = f"""
import sqlalchemy as sa
from alembic import op

revision, down_revision = "{NEXT}", "{VERSIONS[-1]}"


def upgrade() -> None:
    op.add_column("meter", sa.Column("note", sa.Text, nullable=False, server_default="none"))
    {{more}}
"""


@pytest.fixture
def opened(address: str) -> Iterator[Database]:
    opened = open_database(address)
    yield opened
    opened.close()


def version(opened: Database) -> str:
    with opened.read.connect() as connection:
        return str(connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one())


def add_next_schema(monkeypatch: pytest.MonkeyPatch, folder: Path, more: str = "") -> None:
    scripts = folder / "migrations"
    shutil.copytree(migrations.SCRIPTS, scripts)
    (scripts / "versions" / "v9999_next.py").write_text(SCRIPT.format(more=more))
    monkeypatch.setattr(migrations, "SCRIPTS", scripts)
    monkeypatch.setattr(schema, "VERSIONS", (*VERSIONS, NEXT))


def test_a_database_that_says_nothing_of_its_encoding_is_read_as_text(postgres: Postgres) -> None:
    postgres.run("CREATE DATABASE c ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    with closing(Store(postgres.url("c"))) as store:
        store.write([], [METER])
        assert [each.meter_id for each in store.meters()] == [METER_ID]
    postgres.run("DROP DATABASE c")


def test_an_empty_database_gets_the_tables(opened: Database) -> None:
    with opened.read.connect() as connection:
        made = set(inspect(connection).get_table_names())
        partitions = {name for name in made if name.startswith(tuple(f"{table}_" for table in PARTITIONED))}
        assert made - partitions == {*metadata.tables, VERSION_TABLE}
        assert bool(partitions) == (connection.dialect.name == "postgresql")
    assert version(opened) == VERSIONS[-1]


def test_a_database_is_opened_again_as_it_is(address: str) -> None:
    store = Store(address)
    store.write([quarter_reading()], [METER])
    store.close()
    store = Store(address)
    assert store.quarter_readings(METER_ID, IMPORT, [QUARTER]) == {QUARTER: quarter_reading()}
    store.close()


def test_many_programs_open_an_empty_database_at_once(address: str) -> None:
    opened: list[Database] = []
    threads = [Thread(target=lambda: opened.append(open_database(address))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [version(each) for each in opened] == [VERSIONS[-1]] * 4
    for each in opened:
        each.close()


def test_an_older_schema_is_brought_up_to_date(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(address)
    store.write([quarter_reading()], [METER])
    store.close()
    add_next_schema(monkeypatch, tmp_path)
    opened = open_database(address)
    assert version(opened) == NEXT
    with opened.read.connect() as connection:
        assert connection.execute(text("SELECT note FROM meter")).scalar() == "none"
        assert connection.execute(text("SELECT raw FROM boundary")).scalar() == quarter_reading().value.raw
    opened.close()


def test_an_sqlite_file_is_copied_before_it_is_migrated(
    sqlite: Store, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite.write([quarter_reading()], [METER])
    add_next_schema(monkeypatch, tmp_path)
    open_database(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file.with_name(f"iskra.sqlite.schema-{VERSIONS[-1]}"))) as copy:
        assert copy.execute(f"SELECT version_num, raw FROM {VERSION_TABLE}, boundary").fetchall() == [
            (VERSIONS[-1], quarter_reading().value.raw)
        ]


def test_while_another_program_migrates_a_file_it_is_left_alone(
    sqlite: Store, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite.write([quarter_reading()], [METER])
    add_next_schema(monkeypatch, tmp_path)
    monkeypatch.setattr(sqlite_module, "BUSY_S", 0.1)
    lock = file.with_name("iskra.sqlite.migrating")
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match=r"is being brought up to date by another iskra-server. Wait until"):
            open_database(f"sqlite:///{file}")
        assert not file.with_name(f"iskra.sqlite.schema-{VERSIONS[-1]}").exists()
    open_database(f"sqlite:///{file}").close()
    assert not lock.exists()


def test_programs_that_migrate_a_file_at_once_do_it_once(
    sqlite: Store, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each copies the file to the same name first: the second one must not copy what the first one has migrated."""
    sqlite.write([quarter_reading()], [METER])
    add_next_schema(monkeypatch, tmp_path)
    monkeypatch.setattr(sqlite_module, "BUSY_S", 60)
    opened: list[Database] = []
    threads = [Thread(target=lambda: opened.append(open_database(f"sqlite:///{file}"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [version(each) for each in opened] == [NEXT] * 4
    for each in opened:
        each.close()
    with closing(sqlite3.connect(file.with_name(f"iskra.sqlite.schema-{VERSIONS[-1]}"))) as copy:
        assert copy.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall() == [(VERSIONS[-1],)]


def test_a_program_that_comes_late_waits_for_one_that_has_waited(
    sqlite: Store, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one fails and removes the file that the second one waits for; the third must still find it locked."""
    sqlite.write([quarter_reading()], [METER])
    add_next_schema(monkeypatch, tmp_path)
    monkeypatch.setattr(sqlite_module, "BUSY_S", 60)
    opened: list[Database] = []
    copies: list[str] = []

    def open_it() -> None:
        with suppress(StoreError):
            opened.append(open_database(f"sqlite:///{file}"))

    second, third = Thread(target=open_it), Thread(target=open_it)

    def copy(_: Path, __: str) -> None:
        copies.append("begins")
        if len(copies) == 1:
            second.start()
            # it waits now
            time.sleep(0.3)
            raise StoreError("the disk is full")
        if len(copies) == 2:
            third.start()
            time.sleep(0.3)
        copies.append("ends")

    monkeypatch.setattr(sqlite_module, "copy_before_migration", copy)
    open_it()
    second.join()
    third.join()
    for each in opened:
        each.close()
    assert (len(opened), copies) == (2, ["begins", "begins", "ends"])


def test_a_migration_that_fails_changes_nothing(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(address).close()
    with monkeypatch.context() as later:
        add_next_schema(later, tmp_path, more='op.execute("INSERT INTO nowhere VALUES (1)")')
        with pytest.raises(StoreError, match="cannot be used as history"):
            open_database(address)
    opened = open_database(address)
    assert version(opened) == VERSIONS[-1]
    with opened.read.connect() as connection:
        assert "note" not in [column["name"] for column in inspect(connection).get_columns("meter")]
    opened.close()


def test_a_newer_schema_is_refused_and_left_alone(address: str) -> None:
    store = Store(address)
    store.write([quarter_reading()], [METER])
    with store._database.write.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0815'"))
    store.close()
    for _ in range(2):
        with pytest.raises(StoreError, match=r"written by a newer iskra-server \(schema 0815.*Install the newer"):
            Store(address)


def test_the_tables_of_another_program_are_refused_and_left_alone(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE states (state TEXT)")
    content = file.read_bytes()
    with pytest.raises(StoreError, match=f"{file} holds the tables of another program. Give history a database"):
        Store(f"sqlite:///{file}")
    assert file.read_bytes() == content


def test_sqlite_lies_in_wal_mode_with_small_pages(sqlite: Store) -> None:
    with sqlite._database.write.connect() as connection:
        pragmas = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "page_size")]
        assert pragmas == ["wal", PAGE_BYTES]
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_a_reading_connection_cannot_write(sqlite: Store) -> None:
    with (
        pytest.raises(Exception, match="attempt to write a readonly database"),
        sqlite._database.read.connect() as connection,
    ):
        connection.execute(text("DELETE FROM meter"))


def test_the_directory_is_created(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/a/b #1?/iskra.sqlite".replace("?", "%3F"))
    store.write([quarter_reading()], [METER])
    assert store.meters() == [METER]
    store.close()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("iskra.sqlite", "database_url is not an address; expected sqlite:////PATH/iskra.sqlite or postgresql://"),
        ("mysql://localhost/iskra", "database_url begins with mysql; expected sqlite"),
        ("sqlite://", "database_url names no file; expected sqlite"),
        ("sqlite:///:memory:", "database_url names no file; expected sqlite"),
    ],
)
def test_an_invalid_address_is_refused(address: str, sentence: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store(address)
    assert str(caught.value).startswith(sentence)


def test_the_tables_of_an_empty_database_equal_those_of_the_migrations(tmp_path: Path) -> None:
    laid_out, migrated = tmp_path / "laid-out.sqlite", tmp_path / "migrated.sqlite"
    Store(f"sqlite:///{laid_out}").close()
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.begin() as connection:
        upgrade(connection)
    engine.dispose()
    one, other = map(_schema, (laid_out, migrated))
    assert one == other
    assert len(one) > len(VERSIONS)


def _schema(file: Path) -> list[tuple[str, str, list[tuple[object, ...]]]]:
    """Every table: its name, its definition without white space, and the version that it holds."""
    with closing(sqlite3.connect(file)) as database:
        tables = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        version = database.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall()
    return [(name, "".join(sql.split()), version) for name, sql in tables]
