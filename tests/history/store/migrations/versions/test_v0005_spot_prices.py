"""A history that was recorded before is kept, and takes prices."""

from sqlalchemy import create_engine, text

from history.entries import AT_S, METER
from iskra_server.history.model.spot_price import Price
from iskra_server.history.store.migrations import upgrade
from iskra_server.history.store.spot_prices import spot_prices, store_prices
from iskra_server.history.store.store import Store
from samples import METER_ID


def test_an_old_history_takes_prices(address: str) -> None:
    engine = create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        upgrade(connection, "0004")
        values = f"(7, '{METER_ID}', '{METER.server_id}', false, {AT_S}, {AT_S})"
        columns = "id, meter_id, server_id, simulated, first_s, last_s"
        connection.execute(text(f"INSERT INTO meter ({columns}) VALUES {values}"))
    engine.dispose()
    store = Store(address)
    assert [meter.meter_id for meter in store.meters()] == [METER_ID]
    store_prices(store, "DE-LU", "smard", AT_S, {AT_S // 900: Price(-1)})
    assert spot_prices(store, "DE-LU", AT_S // 900, AT_S // 900 + 1) == {AT_S // 900: Price(-1)}
    store.close()
