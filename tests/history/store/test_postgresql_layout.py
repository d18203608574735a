"""The statements of each profile; plain is what every other test of PostgreSQL runs on."""

import re
from typing import Any

import pytest
from sqlalchemy import ForeignKeyConstraint, create_mock_engine
from sqlalchemy.dialects import postgresql, registry
from sqlalchemy.schema import CreateTable

from history.postgres import Postgres
from iskra_server.history.store import StoreError
from iskra_server.history.store.postgresql_layout import COORDINATOR_ONLY, extension_statements, tables
from iskra_server.history.store.schema import PARTITIONED, DatabaseProfile, metadata
from iskra_server.history.store.store import Store


def test_plain_needs_nothing_more() -> None:
    assert list(extension_statements("plain")) == []


def test_every_table_has_one_place() -> None:
    placed = re.findall(r"(?:distributed|reference)_table\('(\w+)'", "\n".join(extension_statements("citus")))
    assert sorted([*placed, *COORDINATOR_ONLY]) == sorted(metadata.tables)


def test_rows_are_distributed_by_a_part_of_their_key() -> None:
    for table, column in re.findall(r"distributed_table\('(\w+)', '(\w+)'", "\n".join(extension_statements("citus"))):
        assert column in metadata.tables[table].primary_key
        assert made(table, "citus").count("FOREIGN KEY") == 0


def test_timescale_makes_hypertables_that_compress() -> None:
    made = list(extension_statements("timescale"))
    assert made[1:6] == [
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
    # the telegrams in it are compressed already
    assert not [statement for statement in made if "compress" in statement and "points" in statement]


def test_timescale_has_no_partitions_of_its_own() -> None:
    said: list[str] = []
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

    def say(made: Any, *_: object) -> None:
        said.append(str(made.compile(dialect=dialect)))

    tables("timescale").create_all(create_mock_engine("postgresql+psycopg://", say), checkfirst=False)
    assert len([made for made in said if "CREATE TABLE" in made]) == len(metadata.tables)
    assert "PARTITION BY" not in "".join(said)


def test_citus_distributes_the_growing_tables_and_copies_the_others_to_every_node() -> None:
    assert list(extension_statements("citus"))[1:6] == [
        "SELECT create_reference_table('meter')",
        "SELECT create_reference_table('series')",
        "SELECT create_reference_table('label')",
        "SELECT create_distributed_table('boundary', 'series', shard_count => 8)",
        "SELECT create_distributed_table('epoch', 'series', colocate_with => 'boundary')",
    ]


@pytest.mark.parametrize("profile", ["timescale", "citus"])
def test_a_missing_extension_is_named_and_nothing_is_made(postgres: Postgres, profile: DatabaseProfile) -> None:
    address = postgres.database()
    with pytest.raises(StoreError, match=rf"database_profile is {profile}, but this PostgreSQL has no extension"):
        Store(address, profile)
    Store(address).close()


def test_another_profile_than_that_of_the_tables_is_refused(postgres: Postgres) -> None:
    address = postgres.database()
    Store(address).close()
    with pytest.raises(StoreError, match="is citus, but this database was laid out for plain for good"):
        Store(address, "citus")


def made(name: str, profile: DatabaseProfile) -> str:
    return str(CreateTable(tables(profile).tables[name]).compile(dialect=registry.load("postgresql")()))


def test_growing_tables_are_partitioned_unless_an_extension_does_that() -> None:
    for name, (column, _) in PARTITIONED.items():
        assert f"PARTITION BY RANGE ({column})" in made(name, "plain")
        assert "PARTITION BY" not in made(name, "timescale")
        assert "FOREIGN KEY" not in made(name, "plain")


def test_the_tables_themselves_stay_as_they_are() -> None:
    tables()
    for name in PARTITIONED:
        assert any(isinstance(each, ForeignKeyConstraint) for each in metadata.tables[name].constraints)
        assert not metadata.tables[name].indexes
