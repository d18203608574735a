"""A central server of the schema before has no roll-ups yet; the first step computes them from what is there."""

from sqlalchemy import create_engine, select, text

from fleet.central.test_rollups import BERLIN, DAYS, LATER_S
from iskra_server.fleet.central.rollup_refresh import refresh
from iskra_server.history.store.migrations import upgrade
from iskra_server.history.store.schema import rollup
from iskra_server.history.store.store import Store


def test_what_was_there_is_rolled_up(address: str) -> None:
    engine = create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        upgrade(connection, "0006")
        connection.execute(
            text(
                "INSERT INTO meter (id, meter_id, server_id, simulated, first_s, last_s) "
                f"VALUES (7, 'M7', '', false, {DAYS[0] * 900}, {DAYS[1] * 900})"
            )
        )
        connection.execute(text("INSERT INTO series (id, meter, obis) VALUES (9, 7, '1-0:1.8.0*255')"))
        for quarter in range(DAYS[0], DAYS[1] + 1):
            values = f"(9, {quarter}, {quarter - DAYS[0]}, 0, 0, 0)"
            connection.execute(
                text(f"INSERT INTO boundary (series, quarter, raw, scaler, quality, epoch) VALUES {values}")
            )
    engine.dispose()
    store = Store(address)
    while refresh(store, LATER_S, BERLIN):
        pass
    (row,) = store.query(select(rollup).where(rollup.c.energy_22.is_not(None)))
    assert (row.series, row.scaler, row.energy_22, row.energy_23, row.estimated_22) == (9, 0, 96, None, None)
    store.close()
