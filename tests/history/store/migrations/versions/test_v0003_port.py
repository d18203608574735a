"""A history that does not know where its meters were read learns it with the next word of a reader."""

from msgspec import structs
from sqlalchemy import create_engine, text

from history.entries import METER
from iskra_server.history.store.migrations import upgrade
from iskra_server.history.store.store import Store
from samples import METER_ID

_INSERT = "INSERT INTO meter VALUES (7, '{}', '{}', false, {}, {}, NULL)"


def test_where_a_meter_is_read_is_learnt_and_not_forgotten(address: str) -> None:
    engine = create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        upgrade(connection, "0002")
        connection.execute(text(_INSERT.format(METER_ID, METER.server_id, METER.first_s, METER.last_s)))
    engine.dispose()
    store = Store(address)
    assert store.meters() == [METER]
    at_port = structs.replace(METER, port="/dev/ttyUSB0")
    # a centre hears of a meter, not of its port
    for seen in (at_port, METER):
        store.write([], [seen])
        assert store.meters() == [at_port]
    store.close()
