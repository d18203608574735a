import msgspec
from sqlalchemy import select

from history.entries import AT_S, METER, QUARTER, block, quarter_reading
from iskra_server.history.store.impossible_rows import AHEAD, BEFORE, set_rows_aside
from iskra_server.history.store.schema import outbox, set_aside, uplink
from iskra_server.history.store.store import Store


def test_a_row_is_kept_whole_with_the_reason(store: Store) -> None:
    store.write([quarter_reading(QUARTER + 9, 5), quarter_reading(1, 4), block(AT_S + 9000, b"\0\xff")], [METER])
    with store.transaction() as connection:
        assert set_rows_aside(connection, AT_S) == 3
    kept = {(row.kind, row.reason): msgspec.json.decode(row.content) for row in store.query(select(set_aside))}
    assert kept["boundary", AHEAD] | {"series": 0} == {
        "series": 0,
        "quarter": QUARTER + 9,
        "raw": 5,
        "scaler": -1,
        "quality": 0,
        "epoch": 0,
    }
    assert kept["boundary", BEFORE]["quarter"] == 1
    assert msgspec.convert(kept["points", AHEAD]["octets"], bytes) == b"\0\xff"


def test_a_minute_is_no_future(store: Store) -> None:
    store.write([quarter_reading(QUARTER, 5)], [METER])
    with store.transaction() as connection:
        assert set_rows_aside(connection, AT_S - 60) == 0
        assert set_rows_aside(connection, AT_S - 61) == 1


def test_a_centre_is_not_sent_what_is_set_aside(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute(uplink.insert(), [{"reader": "home", "since_s": 0}])
    store.write([quarter_reading(QUARTER, 5), quarter_reading(QUARTER + 9, 6)], [METER])
    with store.transaction() as connection:
        set_rows_aside(connection, AT_S)
    assert [row.quarter for row in store.query(select(outbox))] == [QUARTER]
