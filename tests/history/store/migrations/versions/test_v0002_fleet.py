"""A PostgreSQL of the first schema, with rows of several months in it, becomes one of partitions."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, create_engine, text

from history.entries import METER, power, quarter_reading
from history.postgres import Postgres
from iskra_server.history.model.records import QUARTER_S
from iskra_server.history.store.migrations import upgrade
from iskra_server.history.store.partitions import existing_partitions
from iskra_server.history.store.store import Store
from samples import IMPORT, METER_ID

# the last quarter of a month, the first of the next, and what a wrong clock wrote
MONTH_END = int(datetime(2025, 12, 1, tzinfo=UTC).timestamp()) // QUARTER_S
QUARTERS = [3, MONTH_END - 2000, MONTH_END - 1, MONTH_END, MONTH_END + 96 * 40]


@pytest.fixture
def first(postgres: Postgres) -> Engine:
    engine = create_engine(postgres.database().replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        upgrade(connection, "0001")
        connection.execute(text(f"INSERT INTO meter VALUES (7, '{METER_ID}', '{METER.server_id}', false, 1, 2, NULL)"))
        connection.execute(text("INSERT INTO series VALUES (3, 7, '1-0:1.8.0*255')"))
        for quarter in QUARTERS:
            connection.execute(text(f"INSERT INTO boundary VALUES (3, {quarter}, 5, -1, 0, 0)"))
            connection.execute(text(f"INSERT INTO power VALUES (7, {quarter}, 1, 2, 3, 4)"))
            connection.execute(
                text(f"INSERT INTO points VALUES (7, {quarter * 900}, 1, {quarter * 900}, 1, 1, 2, 3, '')")
            )
    engine.dispose()
    return engine


def test_every_row_is_there_and_in_its_month(first: Engine, postgres: Postgres) -> None:
    store = Store(postgres.url("postgres"))
    assert store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1) == [
        quarter_reading(quarter, raw=5) for quarter in QUARTERS
    ]
    assert [found.quarter for found in store.power_between(METER_ID, 0, 2**31 - 1)] == QUARTERS
    assert [found.first_s for found in store.points_between(METER_ID, 0, 2**40)] == [q * 900 for q in QUARTERS]
    with store._database.read.connect() as connection:
        for table in ("boundary", "power", "points"):
            months = {f"{table}_2025_11", f"{table}_2025_12", f"{table}_2026_01", f"{table}_rest"}
            assert months <= existing_partitions(connection)
            counts = [connection.execute(text(f"SELECT count(*) FROM {name}")).scalar() for name in sorted(months)]
            assert counts == [2, 1, 1, 1]
    store.close()


def test_it_is_carried_on(first: Engine, postgres: Postgres) -> None:
    store = Store(postgres.url("postgres"))
    store.write([quarter_reading(MONTH_END + 1), power()], [METER])
    assert len(store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)) == len(QUARTERS) + 1
    store.close()
