"""The statements of each profile; plain is what every other test of PostgreSQL runs on."""

import re
from typing import Any

import pytest
from sqlalchemy import ForeignKeyConstraint, create_mock_engine
from sqlalchemy.dialects import postgresql, registry
from sqlalchemy.schema import CreateTable

from history.postgres import Postgres
from iskra_server.history.store import StoreError
from iskra_server.history.store.postgresql_layout import extension_statements, tables
from iskra_server.history.store.schema import PARTITIONED, DatabaseProfile, metadata
from iskra_server.history.store.store import Store


def test_plain_needs_nothing_more() -> None:
    assert list(extension_statements("plain")) == []


def test_timescale_makes_hypertables_that_compress() -> None:
    made = list(extension_statements("timescale"))
    assert made[:5] == [
        "SELECT create_hypertable('boundary', by_range('quarter', 2880), create_default_indexes => false)",
        "CREATE FUNCTION iskra_now_boundary() RETURNS integer LANGUAGE sql STABLE AS "
        "$$ SELECT (extract(epoch FROM now()) / 900)::integer $$",
        "SELECT set_integer_now_func('boundary', 'iskra_now_boundary')",
        "ALTER TABLE boundary SET (timescaledb.compress, timescaledb.compress_segmentby = 'series', "
        "timescaledb.compress_orderby = 'quarter')",
        "SELECT add_compression_policy('boundary', compress_after => 8640)",
    ]
    assert [found[1] for found in map(re.compile(r"create_hypertable\('(\w+)'").search, made) if found] == [
        *PARTITIONED
    ]
    assert "SELECT add_compression_policy('points', compress_after => 7776000)" in made


def test_timescale_has_no_partitions_of_its_own() -> None:
    said: list[str] = []
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

    def say(made: Any, *_: object) -> None:
        said.append(str(made.compile(dialect=dialect)))

    tables(partitioned=False).create_all(create_mock_engine("postgresql+psycopg://", say), checkfirst=False)
    assert len([made for made in said if "CREATE TABLE" in made]) == len(metadata.tables)
    assert "PARTITION BY" not in "".join(said)


def test_citus_distributes_what_grows_and_has_the_rest_everywhere() -> None:
    assert list(extension_statements("citus")) == [
        "SELECT create_reference_table('meter')",
        "SELECT create_reference_table('series')",
        "SELECT create_reference_table('label')",
        "SELECT create_distributed_table('boundary', 'series')",
        "SELECT create_distributed_table('power', 'meter')",
        "SELECT create_distributed_table('points', 'meter')",
        "SELECT create_distributed_table('epoch', 'series')",
        "SELECT create_distributed_table('live', 'meter')",
    ]


@pytest.mark.parametrize("profile", ["timescale", "citus"])
def test_a_missing_extension_is_named_and_nothing_is_made(postgres: Postgres, profile: DatabaseProfile) -> None:
    address = postgres.database()
    with pytest.raises(StoreError, match=rf"database_profile is {profile}, but this PostgreSQL has no extension"):
        Store(address, profile)
    Store(address).close()


def made(name: str, *, partitioned: bool) -> str:
    return str(CreateTable(tables(partitioned=partitioned).tables[name]).compile(dialect=registry.load("postgresql")()))


def test_what_grows_for_ever_is_partitioned_unless_an_extension_does_that() -> None:
    for name, (column, _) in PARTITIONED.items():
        assert f"PARTITION BY RANGE ({column})" in made(name, partitioned=True)
        assert "PARTITION BY" not in made(name, partitioned=False)
        assert "FOREIGN KEY" not in made(name, partitioned=True)


def test_the_tables_themselves_stay_as_they_are() -> None:
    tables()
    for name in PARTITIONED:
        assert any(isinstance(each, ForeignKeyConstraint) for each in metadata.tables[name].constraints)
        assert not metadata.tables[name].indexes
