"""A central server of the schema before keeps its meters' readers, its labels for ever, and the order of its list."""

from sqlalchemy import create_engine, select, text

from iskra_server.history.store.migrations import upgrade
from iskra_server.history.store.schema import ALWAYS, epoch_origin, label, live, meter_reader, reader
from iskra_server.history.store.store import Store

_STATEMENTS = (
    "INSERT INTO meter (id, meter_id, server_id, simulated, first_s, last_s) VALUES (7, 'M7', '', false, 900, 9000)",
    "INSERT INTO series (id, meter, obis) VALUES (3, 7, '1-0:1.8.0*255')",
    "INSERT INTO epoch (series, epoch, at_s, after_raw, after_scaler) VALUES (3, 2, 950, 5, 0)",
    "INSERT INTO live (meter, reader, at_s, power_mw) VALUES (7, 'house-7', 9001, 5000)",
    "INSERT INTO label (meter, kind, value) VALUES (7, 'tenant', 'Meyer')",
    "INSERT INTO reader (id, name, at_s, ok, sentence, status) VALUES (4, 'house-7', 9001, true, 'Fine.', '[]')",
)


def test_what_was_there_is_kept(address: str) -> None:
    engine = create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        upgrade(connection, "0005")
        for statement in _STATEMENTS:
            connection.execute(text(statement))
    engine.dispose()
    store = Store(address)
    (row,) = store.query(select(live))
    assert (row.meter, row.reader, row.at_s, row.at_quarter, row.power_mw) == (7, "house-7", 9001, 10, 5000)
    (row,) = store.query(select(meter_reader))
    assert (row.meter, row.reader, row.since_s) == (7, "house-7", 0)
    origins = store.query(select(epoch_origin).order_by(epoch_origin.c.epoch))
    assert [tuple(row) for row in origins] == [
        (3, "", 0, 0, None, None, None, None, None, ALWAYS),
        (3, "", 2, 2, 950, None, None, 5, 0, ALWAYS),
    ]
    (row,) = store.query(select(label))
    assert (row.value, row.from_quarter, row.to_quarter) == ("Meyer", 0, ALWAYS)
    (row,) = store.query(select(reader))
    assert (row.name, row.at_s, row.ok, row.session, row.skew_s) == ("house-7", 9001, True, None, None)
    store.close()
