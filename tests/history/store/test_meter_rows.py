"""Rows of meters, in both databases: known ones are changed only where it matters."""

import pytest
from msgspec.structs import replace
from sqlalchemy import event

from history.entries import METER, OTHER, SIMULATED
from iskra_server.history.store import StoreError
from iskra_server.history.store.meter_rows import is_simulated
from iskra_server.history.store.store import Store

DAY = 86_400


def test_a_meter_is_written_when_it_is_new_or_when_its_last_contact_is_so_much_older(store: Store) -> None:
    statements: list[str] = []
    event.listen(store._database.write, "before_cursor_execute", lambda *call: statements.append(call[2]))
    for last_s, stored_s, writes in (
        (0, 0, True),
        (DAY - 1, 0, False),
        (DAY, DAY, True),
        (DAY - 5, DAY, False),
        (2 * DAY - 1, DAY, False),
        (3 * DAY, 3 * DAY, True),
    ):
        statements.clear()
        with store.writing([]) as connection:
            store.upsert_meters(connection, [replace(METER, last_s=METER.last_s + last_s)], DAY)
        assert store.meters()[0].last_s == METER.last_s + stored_s
        assert any(said.startswith(("INSERT", "UPDATE")) for said in statements) is writes


def test_an_earlier_first_contact_and_another_port_are_noted(store: Store) -> None:
    store.write([], [METER, OTHER])
    for seen in (replace(METER, first_s=5), replace(METER, port="/dev/ttyUSB0"), METER):
        with store.writing([]) as connection:
            store.upsert_meters(connection, [seen], DAY)
    assert sorted(store.meters(), key=lambda info: info.first_s) == [
        replace(METER, first_s=5, port="/dev/ttyUSB0"),
        OTHER,
    ]


def test_a_history_is_of_real_or_of_simulated_meters(store: Store) -> None:
    with store.transaction(write=False) as connection:
        assert is_simulated(connection) is None
    with pytest.raises(StoreError, match="holds readings of a real meter; those of a simulated one"):
        store.write([], [METER, SIMULATED])
    store.write([], [SIMULATED])
    with store.transaction(write=False) as connection:
        assert is_simulated(connection) is True
    with pytest.raises(StoreError, match="holds readings of a simulated meter; those of a real one"):
        store.write([], [METER])
