"""The last word of meters and readers, and what was refused, on both databases."""

import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import select, text

from fleet.batches import batch_of
from fleet.field import counted, refusals
from history.entries import AT_S, METER, QUARTER, SIMULATED, power, quarter_reading
from history.postgres import Postgres
from iskra_server.fleet.central.claims import move_meter
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import LastContact, Refusal, write_batch
from iskra_server.history.model.records import QUARTER_S
from iskra_server.history.store import StoreError
from iskra_server.history.store.database_errors import is_data_error
from iskra_server.history.store.schema import live, reader
from iskra_server.history.store.store import Store
from running import until
from samples import IMPORT, METER_ID


def words(store: Store) -> list[tuple[object, ...]]:
    with store.transaction(write=False) as connection:
        return [(row.reader, row.at_s, row.power_mw) for row in connection.execute(select(live)).all()]


def test_the_newest_contact_of_a_meter_counts_in_any_order(store: Store) -> None:
    write_batch(store, batch_of([quarter_reading()], [METER], [LastContact(METER_ID, "cellar", 100, 5)]))
    write_batch(
        store,
        batch_of(
            contacts=[
                LastContact(METER_ID, "cellar", 120),
                LastContact(METER_ID, "cellar", 90, 7),
                LastContact("unknown", "x", 1),
            ]
        ),
    )
    assert words(store) == [("cellar", 120, 5)]
    write_batch(store, batch_of(contacts=[LastContact(METER_ID, "cellar", 110, 9)]))
    assert words(store) == [("cellar", 120, 5)]
    write_batch(store, batch_of(contacts=[LastContact(METER_ID, "cellar", 130, 9)]))
    assert words(store) == [("cellar", 130, 9)]


def test_only_the_reader_of_a_meter_is_believed_what_it_shows_now(store: Store) -> None:
    write_batch(store, batch_of([quarter_reading()], [METER], [LastContact(METER_ID, "cellar", 100, 5)]))
    write_batch(store, batch_of(contacts=[LastContact(METER_ID, "attic", 130, 9, is_live=True)]))
    assert words(store) == [("cellar", 100, 5)]
    write_batch(store, batch_of(readers=[ReaderState("attic", 140, True, "Fine.", "[]")]))
    assert move_meter(store, METER_ID, "attic", 150) == "cellar"
    write_batch(
        store, batch_of(contacts=[LastContact(METER_ID, "attic", 160, 9), LastContact(METER_ID, "cellar", 170)])
    )
    assert words(store) == [("attic", 160, 9)]


def test_a_meter_that_shows_no_power_any_more_has_none(store: Store) -> None:
    locked = LastContact(METER_ID, "cellar", 110, is_live=True)
    write_batch(store, batch_of([quarter_reading()], [METER], [LastContact(METER_ID, "cellar", 100, 5)]))
    write_batch(store, batch_of(contacts=[locked, LastContact(METER_ID, "cellar", 110)]))
    assert words(store) == [("cellar", 110, None)]
    write_batch(store, batch_of(contacts=[LastContact(METER_ID, "cellar", 120, 7, is_live=True)]))
    write_batch(store, batch_of(contacts=[LastContact(METER_ID, "cellar", 130)]))
    assert words(store) == [("cellar", 130, 7)]


def test_the_newest_state_of_a_reader_counts_in_any_order(store: Store) -> None:
    for at_s, ok in ((10, True), (20, False), (15, True)):
        write_batch(store, batch_of(readers=[ReaderState("cellar", at_s, ok, "All is well.", "[]")]))
    with store.transaction(write=False) as connection:
        assert [(row.name, row.at_s, row.ok) for row in connection.execute(select(reader))] == [("cellar", 20, False)]


def test_refused_messages_are_stored(store: Store) -> None:
    refusal = Refusal(5, "iskra/v1/cellar/quarters", "it is no JSON", b"\0\xff")
    write_batch(store, batch_of(refused=[refusal]))
    write_batch(store, batch_of(refused=[refusal]))
    assert refusals(store) == [refusal, refusal]


def test_simulated_and_real_meters_are_never_mixed_but_wait(store: Store) -> None:
    rows = [quarter_reading(), quarter_reading(meter=SIMULATED)]
    for expected, meters in (([METER], [METER, SIMULATED]), ([METER], [SIMULATED])):
        outcome = write_batch(store, batch_of(rows, meters))
        (receipt,) = outcome.receipts.values()
        assert (receipt.state, store.meters()) == ("waits", expected)
        assert "readings of real meters; those of a simulated one are not written" in receipt.reason


def test_a_batch_is_one_transaction(store: Store) -> None:
    write_batch(store, batch_of([quarter_reading()], [METER]))
    impossible = ReaderState("attic", 2**70, True, "", "[]")
    with pytest.raises((StoreError, OverflowError)):
        write_batch(
            store,
            batch_of([quarter_reading(QUARTER + 1)], [METER], [LastContact(METER_ID, "cellar", AT_S)], [impossible]),
        )
    assert (words(store), store.meters()) == ([("cellar", 0, None)], [METER])
    assert store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1) == [quarter_reading()]


def updates(postgres: Postgres, table: str) -> tuple[int, int]:
    """How many rows were updated, and how many of these without a new entry in any index."""
    query = f"SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = '{table}'"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        # a backend reports when its transaction has ended, or when it ends itself
        row = until(lambda: (found := connection.execute(query.encode()).fetchone()) and found[0] and found)
    return int(row[0]), int(row[1])


def test_a_known_meter_costs_no_number_and_no_write(central: Store, postgres: Postgres) -> None:
    """`ON CONFLICT DO UPDATE` took one of each sequence for every message; the last are 2,147,483,647."""
    write_batch(central, batch_of([quarter_reading()], [METER]))
    sequences = {"meter_id_seq": 2_147_483_645, "series_id_seq": 2_147_483_645}
    for name, number in sequences.items():
        postgres.run(f"SELECT setval('{name}', {number})")
    fresh = Store(postgres.url("postgres"))
    for first in range(QUARTER + 1, QUARTER + 1001, 40):
        rows = [row for quarter in range(first, first + 40) for row in (quarter_reading(quarter), power(quarter))]
        outcome = write_batch(fresh, batch_of(rows, [replace(METER, last_s=(first + 39) * QUARTER_S)]))
        assert outcome.receipts == {}
    assert counted(fresh, "boundary") == 1001
    for name, number in sequences.items():
        with fresh.transaction(write=False) as connection:
            assert connection.execute(text(f"SELECT last_value FROM {name}")).scalar() == number
    fresh.close()
    # once in three batches of ten hours, not in 25
    assert updates(postgres, "meter") == (8, 8)


def test_a_database_without_numbers_is_no_fault_of_the_message(central: Store, postgres: Postgres) -> None:
    postgres.run("SELECT setval('meter_id_seq', 2147483647)")
    with pytest.raises(StoreError, match="has no number left for a new row") as caught:
        write_batch(central, batch_of([quarter_reading()], [METER]))
    assert not is_data_error(caught.value)


def test_live_values_change_no_index(central: Store, postgres: Postgres) -> None:
    """Within a quarter-hour the key of the list does not change, and half of each page is free for the new versions."""
    meters = [replace(METER, meter_id=f"1 ISK 00 {place:08}") for place in range(200)]
    rows = [quarter_reading(meter=info) for info in meters]
    write_batch(central, batch_of([*rows], meters, [LastContact(info.meter_id, "cellar", AT_S, 1) for info in meters]))
    for second in range(1, 21):
        contacts = [LastContact(info.meter_id, "cellar", AT_S + second, second, is_live=True) for info in meters]
        write_batch(central, batch_of(contacts=contacts))
    central.close()
    changed, without_index = updates(postgres, "live")
    assert changed == 4000
    assert without_index > 0.98 * changed
