from history.entries import METER, QUARTER, quarter_reading
from iskra_server.fleet.central.epoch_mappings import (
    EpochMapping,
    SeenStart,
    find_mapping,
    read_mappings,
    write_mappings,
)
from iskra_server.history.model.records import Exact
from iskra_server.history.store.schema import ALWAYS
from iskra_server.history.store.store import Store

START = SeenStart(QUARTER * 900, Exact(108, -1), Exact(0, 0))


def test_mappings_are_inserted_and_changed(store: Store) -> None:
    store.write([quarter_reading()], [METER])
    first, second = EpochMapping("a@one", 0, 0, from_quarter=7), EpochMapping("b@one", 0, 1)
    with store.transaction() as connection:
        write_mappings(store, connection, {1: [first, second]})
        first.from_quarter, second.start, second.epoch = ALWAYS, START, 2
        write_mappings(store, connection, {1: [second]})
        mappings = read_mappings(connection, [1, 2])
        assert mappings.keys() == {1}
        assert find_mapping(mappings[1], "a@one", 0) == EpochMapping("a@one", 0, 0, from_quarter=7)
        assert find_mapping(mappings[1], "b@one", 0) == EpochMapping("b@one", 0, 2, START)
        assert find_mapping(mappings[1], "b@one", 1) is None


def test_names_of_readers_may_have_the_sign_that_separates_them() -> None:
    names = [EpochMapping(ledger, 0, 0).reader for ledger in ("0af1@bob@house", "@bob@house", "")]
    assert names == ["bob@house", "bob@house", ""]
