"""The last word of meters and readers, and what was refused, on both databases."""

import pytest
from sqlalchemy import select

from fleet.field import refusals
from history.entries import METER, quarter_reading
from iskra_server.fleet.central.tables import IngestBatch, LastContact, ReaderState, Refusal, write_batch
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store import StoreError
from iskra_server.history.store.schema import live, reader
from iskra_server.history.store.store import Store
from samples import METER_ID


def words(store: Store) -> list[tuple[object, ...]]:
    with store.transaction(write=False) as connection:
        return [(row.reader, row.at_s, row.power_mw) for row in connection.execute(select(live)).all()]


def test_the_newest_contact_of_a_meter_counts_in_any_order(store: Store) -> None:
    write_batch(store, IngestBatch([quarter_reading()], [METER], [LastContact(METER_ID, "cellar", 100, 5)]))
    write_batch(
        store,
        IngestBatch(
            contacts=[
                LastContact(METER_ID, "cellar", 120),
                LastContact(METER_ID, "attic", 90, 7),
                LastContact("unknown", "x", 1),
            ]
        ),
    )
    assert words(store) == [("cellar", 120, 5)]
    write_batch(store, IngestBatch(contacts=[LastContact(METER_ID, "attic", 110, 9)]))
    assert words(store) == [("cellar", 120, 5)]
    write_batch(store, IngestBatch(contacts=[LastContact(METER_ID, "attic", 130, 9)]))
    assert words(store) == [("attic", 130, 9)]


def test_a_meter_that_shows_no_power_any_more_has_none(store: Store) -> None:
    locked = LastContact(METER_ID, "cellar", 110, is_live=True)
    write_batch(store, IngestBatch([quarter_reading()], [METER], [LastContact(METER_ID, "cellar", 100, 5)]))
    write_batch(store, IngestBatch(contacts=[locked, LastContact(METER_ID, "cellar", 110)]))
    assert words(store) == [("cellar", 110, None)]
    write_batch(store, IngestBatch(contacts=[LastContact(METER_ID, "cellar", 120, 7, is_live=True)]))
    write_batch(store, IngestBatch(contacts=[LastContact(METER_ID, "cellar", 130)]))
    assert words(store) == [("cellar", 130, 7)]


def test_the_newest_state_of_a_reader_counts_in_any_order(store: Store) -> None:
    for at_s, ok in ((10, True), (20, False), (15, True)):
        write_batch(store, IngestBatch(readers=[ReaderState("cellar", at_s, ok, "All is well.", "[]")]))
    with store.transaction(write=False) as connection:
        assert [(row.name, row.at_s, row.ok) for row in connection.execute(select(reader))] == [("cellar", 20, False)]


def test_refused_messages_are_stored(store: Store) -> None:
    refusal = Refusal(5, "iskra/v1/cellar/quarters", "it is no JSON", b"\0\xff")
    write_batch(store, IngestBatch(refused=[refusal]))
    write_batch(store, IngestBatch(refused=[refusal]))
    assert refusals(store) == [refusal, refusal]


def test_a_batch_is_one_transaction(store: Store) -> None:
    write_batch(store, IngestBatch([quarter_reading()], [METER]))
    simulated = MeterInfo("1 ISK 00 00000001", "", True, 1, 2)
    with pytest.raises(StoreError, match="never written beside them"):
        write_batch(
            store, IngestBatch([quarter_reading(meter=simulated)], [simulated], [LastContact(METER_ID, "cellar", 1)])
        )
    assert (words(store), store.meters()) == ([], [METER])
