"""The last word of meters and readers, and what was refused, on both databases."""

import pytest
from sqlalchemy import select

from history.entries import METER, quarter_reading
from iskra_server.fleet.central.store import Batch, Heard, ReaderState, Refusal, keep, refusals
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store import StoreError
from iskra_server.history.store.schema import live, reader
from iskra_server.history.store.store import Store
from samples import METER_ID


def words(store: Store) -> list[tuple[object, ...]]:
    with store.transaction(write=False) as connection:
        return [tuple(row)[1:] for row in connection.execute(select(live)).all()]


def test_the_newest_word_of_a_meter_counts_whatever_comes_last(store: Store) -> None:
    keep(store, Batch([quarter_reading()], [METER], [Heard(METER_ID, "cellar", 100, 5)]))
    keep(
        store, Batch(heard=[Heard(METER_ID, "cellar", 120), Heard(METER_ID, "attic", 90, 7), Heard("unknown", "x", 1)])
    )
    assert words(store) == [("cellar", 120, 5)]
    keep(store, Batch(heard=[Heard(METER_ID, "attic", 110, 9)]))
    assert words(store) == [("cellar", 120, 5)]
    keep(store, Batch(heard=[Heard(METER_ID, "attic", 130, 9)]))
    assert words(store) == [("attic", 130, 9)]


def test_how_readers_stand(store: Store) -> None:
    for at_s, ok in ((10, True), (20, False), (15, True)):
        keep(store, Batch(readers=[ReaderState("cellar", at_s, ok, "All is well.", "[]")]))
    with store.transaction(write=False) as connection:
        assert [(row.name, row.at_s, row.ok) for row in connection.execute(select(reader))] == [("cellar", 20, False)]


def test_what_was_refused_is_kept(store: Store) -> None:
    refusal = Refusal(5, "iskra/v1/cellar/quarters", "it is no JSON", b"\0\xff")
    keep(store, Batch(refused=[refusal]))
    keep(store, Batch(refused=[refusal]))
    assert refusals(store) == [refusal, refusal]


def test_a_batch_is_one_transaction(store: Store) -> None:
    keep(store, Batch([quarter_reading()], [METER]))
    simulated = MeterInfo("1 ISK 00 00000001", "", True, 1, 2)
    with pytest.raises(StoreError, match="never written beside them"):
        keep(store, Batch([quarter_reading(meter=simulated)], [simulated], [Heard(METER_ID, "cellar", 1)]))
    assert (words(store), store.meters()) == ([], [METER])
