"""The engines that a central database may run on: PostgreSQL alone, with TimescaleDB, with Citus.

PostgreSQL is started by the tests. The other two are servers that run already. Their database is emptied; the user is a
superuser:

    IES_TEST_TIMESCALE_URL=postgresql://postgres@host/test   the extension in shared_preload_libraries
    IES_TEST_CITUS_URL=postgresql://postgres@host/test       the coordinator, with its nodes added
"""

import os
from typing import Any, NamedTuple

import psycopg
import pytest

from history.postgres import Postgres
from iskra_server.history.store.schema import VERSION_TABLE, DatabaseProfile, metadata

_ADDRESSES = {"timescale": "IES_TEST_TIMESCALE_URL", "citus": "IES_TEST_CITUS_URL"}


class Engine(NamedTuple):
    profile: DatabaseProfile
    address: str

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.address, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def empty_engine(profile: DatabaseProfile, request: pytest.FixtureRequest) -> Engine:
    """The engine of a profile, its database emptied; skips where there is none."""
    if profile == "plain":
        postgres: Postgres = request.getfixturevalue("postgres")
        return Engine(profile, postgres.database())
    if not (address := os.environ.get(_ADDRESSES[profile])):
        pytest.skip(f"{_ADDRESSES[profile]} names no server with that extension")
    engine = Engine(profile, address)
    empty(engine)
    return engine


def empty(engine: Engine) -> None:
    """Drop what history has made; the schema stays, as an extension may lie in it."""
    names = ", ".join([*metadata.tables, VERSION_TABLE])
    engine.run(f"DROP TABLE IF EXISTS {names} CASCADE")
    for table in metadata.tables:
        engine.run(f"DROP FUNCTION IF EXISTS iskra_now_{table}")
