"""The statements of each profile; plain is what every other test of PostgreSQL runs on."""

import re
from typing import Any

import pytest
from sqlalchemy import create_mock_engine
from sqlalchemy.dialects import postgresql

from history.postgres import Postgres
from iskra_server.history.store.errors import StoreError
from iskra_server.history.store.postgresql import tables
from iskra_server.history.store.profiles import PROFILES, statements
from iskra_server.history.store.schema import PARTITIONED, metadata
from iskra_server.history.store.store import Store


def test_plain_needs_nothing_more() -> None:
    assert list(statements("plain")) == []


def test_timescale_makes_hypertables_that_compress() -> None:
    made = list(statements("timescale"))
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
    assert list(statements("citus")) == [
        "SELECT create_reference_table('meter')",
        "SELECT create_reference_table('series')",
        "SELECT create_reference_table('label')",
        "SELECT create_distributed_table('boundary', 'series')",
        "SELECT create_distributed_table('power', 'meter')",
        "SELECT create_distributed_table('points', 'meter')",
        "SELECT create_distributed_table('epoch', 'series')",
        "SELECT create_distributed_table('live', 'meter')",
    ]


@pytest.mark.parametrize("profile", PROFILES[1:])
def test_a_missing_extension_is_named_and_nothing_is_made(postgres: Postgres, profile: str) -> None:
    address = postgres.database()
    with pytest.raises(StoreError, match=rf"database_profile is {profile}, but this PostgreSQL has no extension"):
        Store(address, profile)  # type: ignore[arg-type]
    Store(address).close()
