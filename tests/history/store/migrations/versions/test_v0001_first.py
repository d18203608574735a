"""A history as the first schema held it, written without our code, opens with every later one."""

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, create_engine, text

from history.entries import METER, QUARTER, block, epoch, power, quarter_reading
from iskra_server.history.model.records import Exact
from iskra_server.history.store.migrations import upgrade
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT, METER_ID

ROWS = """
INSERT INTO meter VALUES (7, '1 ISK 00 12345678', '090149534b0000bc614e', false, 1763805600, 1763805600, NULL);
INSERT INTO series VALUES (3, 7, '1-0:1.8.0*255'), (4, 7, '1-0:2.8.0*255');
INSERT INTO boundary VALUES (3, 1959784, 107323091, -1, 0, 0);
INSERT INTO power VALUES (7, 1959784, -1500, 230000, 69000000000, 900);
INSERT INTO epoch VALUES (4, 1, 1763805601, 5, -4, 7167, 3);
"""


@pytest.fixture
def first(address: str) -> Engine:
    engine = create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        upgrade(connection, "0001")
        for statement in ROWS.split(";\n"):
            connection.execute(text(statement)) if statement.strip() else None
        octets = {"o": b"\0\1\2"}
        connection.execute(
            text("INSERT INTO points VALUES (7, 1763805600, 139757951, 1763805659, 60, -5, 0, 7, :o)"), octets
        )
    engine.dispose()
    return engine


def test_a_history_of_the_first_schema_is_read(first: Engine, address: str) -> None:
    store = Store(address)
    assert store.meters() == [METER]
    assert store.quarter_readings(METER_ID, IMPORT, [QUARTER]) == {QUARTER: quarter_reading()}
    assert store.power_between(METER_ID, QUARTER, QUARTER + 1) == [power()]
    assert store.epochs(METER_ID, EXPORT) == [epoch(before=Exact(5, -4))]
    assert store.points_between(METER_ID, 0, 2**40) == [replace(block(), min_mw=-5, mean_mw=0, max_mw=7)]
    store.close()


def test_a_history_of_the_first_schema_is_carried_on(first: Engine, address: str) -> None:
    store = Store(address)
    store.write([quarter_reading(QUARTER + 1), quarter_reading(QUARTER, raw=0), epoch(2)], [METER])
    assert store.quarter_readings_between(METER_ID, IMPORT, 0, QUARTER + 9) == [
        quarter_reading(),
        quarter_reading(QUARTER + 1),
    ]
    assert len(store.epochs(METER_ID, EXPORT)) == 2
    store.close()
