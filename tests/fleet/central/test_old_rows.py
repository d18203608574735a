"""Rows that are not kept for ever."""

import pytest
from sqlalchemy import insert, select

from history.entries import METER, QUARTER, quarter_reading
from iskra_server.fleet.central import old_rows
from iskra_server.fleet.central.old_rows import delete_conflicts, delete_refused
from iskra_server.history.store.schema import conflict, refused, series
from iskra_server.history.store.store import Store


def test_old_rows_are_deleted_in_portions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 7 refused messages and 8 values those of the first five moments: three transactions with two of them each."""
    store.write([quarter_reading()], [METER])
    (number,) = store.query(select(series.c.id))[0]
    values = {"series": number, "raw": 1, "scaler": 0, "quality": 0, "at_s": 0}
    with store.transaction() as connection:
        rows = [{"at_s": 1000 + at, "topic": "t", "reason": "r", "octets": b"x"} for at in range(7)]
        connection.execute(insert(refused), rows)
        other = [{**values, "quarter": QUARTER + at, "reader": f"house-{at % 2}"} for at in range(8)]
        connection.execute(insert(conflict), other)
    monkeypatch.setattr(old_rows, "_PORTION", 2)
    begin, begun = store.transaction, list[bool]()

    def transaction() -> object:
        begun.append(True)
        return begin()

    monkeypatch.setattr(store, "transaction", transaction)
    assert (delete_refused(store, 1005), len(begun)) == (5, 3)
    assert (delete_conflicts(store, QUARTER + 5), len(begun)) == (5, 6)
    assert (delete_refused(store, 1005), delete_conflicts(store, QUARTER + 5)) == (0, 0)
    assert [row.at_s for row in store.query(select(refused.c.at_s).order_by(refused.c.id))] == [1005, 1006]
    quarters = [row.quarter for row in store.query(select(conflict.c.quarter).order_by(conflict.c.quarter))]
    assert quarters == [QUARTER + 5, QUARTER + 6, QUARTER + 7]
