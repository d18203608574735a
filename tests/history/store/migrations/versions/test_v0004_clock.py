"""A history that was recorded before is kept, and can be repaired."""

from sqlalchemy import create_engine, text

from history.entries import AT_S, METER
from iskra_server.history.store.checkup import find_impossible, list_set_aside, repair
from iskra_server.history.store.migrations import upgrade
from iskra_server.history.store.store import Store
from samples import IMPORT, METER_ID

_STATEMENTS = (
    "INSERT INTO meter (id, meter_id, server_id, simulated, first_s, last_s) VALUES (7, '{}', '{}', false, {}, {})",
    "INSERT INTO series (id, meter, obis) VALUES (3, 7, '{}')",
    "INSERT INTO boundary (series, quarter, raw, scaler, quality, epoch) VALUES (3, {}, 1000, -1, 0, 0)",
    "INSERT INTO boundary (series, quarter, raw, scaler, quality, epoch) VALUES (3, {}, 2000, -1, 0, 0)",
)


def test_what_a_wrong_clock_has_left_in_an_old_history_is_set_aside(address: str) -> None:
    quarter = AT_S // 900
    values = ((METER_ID, METER.server_id, AT_S, AT_S), (IMPORT,), (quarter,), (quarter + 35_040,))
    engine = create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        upgrade(connection, "0003")
        for statement, filled in zip(_STATEMENTS, values, strict=True):
            connection.execute(text(statement.format(*filled)))
    engine.dispose()
    store = Store(address)
    assert len(find_impossible(store, AT_S)) == 1
    assert (repair(store, AT_S), len(list_set_aside(store))) == (1, 1)
    assert [each.quarter for each in store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)] == [quarter]
    store.close()
