"""Each meter has one reader; another one gets it by the administrator alone."""

import shlex
import time

import pytest
from msgspec.structs import replace

from fleet.batches import batch_of
from history.entries import METER, QUARTER, quarter_reading
from iskra_server.fleet.central.claims import Claim, claims_of, may_store, move_meter, reader_at
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import IngestBatch, LastContact, write_batch
from iskra_server.history.model.records import quarter_of
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store
from samples import IMPORT, METER_ID

THREE = [Claim(0, "one"), Claim(900, "other"), Claim(2700, "one"), Claim(4500, "third")]


def test_a_former_reader_may_store_what_lies_before_the_move() -> None:
    allowed = {name: [quarter for quarter in range(7) if may_store(THREE, name, quarter)] for name in ("one", "other")}
    assert allowed == {"one": [0, 1, 2, 3, 4], "other": [0, 1, 2]}
    assert all(may_store(THREE, "third", quarter) for quarter in range(7))
    assert not any(may_store(THREE, "nobody", quarter) for quarter in range(7))
    assert [reader_at(THREE, quarter) for quarter in range(6)] == ["one", "other", "other", "one", "one", "third"]


def test_a_meter_moves_only_to_a_reader_that_is_there(store: Store) -> None:
    with pytest.raises(StoreError, match="No reader attic has sent anything yet"):
        move_meter(store, METER_ID, "attic", 100)
    write_batch(store, batch_of(readers=[ReaderState("attic", 90, True, "Fine.", "[]")]))
    with pytest.raises(StoreError, match="No reader has sent quarter-hours of 1 ISK"):
        move_meter(store, METER_ID, "attic", 100)
    write_batch(store, batch_of([quarter_reading()], [METER]))
    assert [move_meter(store, METER_ID, "attic", 100) for _ in range(2)] == ["cellar", "attic"]
    # by a clock that is behind that of the move before
    assert move_meter(store, METER_ID, "cellar", 50) == "attic"
    with store.transaction(write=False) as connection:
        (claims,) = claims_of(connection, [1, 2]).values()
    assert claims == [Claim(0, "cellar"), Claim(100, "attic"), Claim(101, "cellar")]


def test_what_another_reader_sends_waits_with_the_command_that_moves_the_meter(store: Store) -> None:
    """A4: the first reader has the meter; what others send of it is not stored, and they are told why."""
    write_batch(store, batch_of([quarter_reading()], [METER]))
    forged = [quarter_reading(QUARTER + place) for place in range(1, 5)]
    outcome = write_batch(store, batch_of([*forged], [METER], [LastContact(METER_ID, "attic", 1)]))
    assert (outcome.receipts[0].state, outcome.conflicts) == ("waits", 0)
    assert outcome.receipts[0].reason == (
        f"meter {METER_ID} is read by cellar. If it has been moved: iskra-server fleet move '{METER_ID}' --to attic"
    )
    true = [quarter_reading(QUARTER + place, 107_323_091 + place) for place in range(1, 5)]
    assert write_batch(store, batch_of([*true], [METER])).receipts == {}
    assert store.quarter_readings_between(METER_ID, IMPORT, QUARTER + 1, QUARTER + 9) == true


def test_a_reader_of_which_nothing_can_be_stored_gets_no_meter(store: Store) -> None:
    """Its clock is ahead; the right one comes later, or in the same batch."""
    ahead = [quarter_reading(quarter_of(time.time()) + 4)]
    wrong = batch_of([*ahead], [METER], [LastContact(METER_ID, "attic", 1)])
    outcome = write_batch(store, wrong)
    assert (outcome.receipts[0].state, "are not over yet" in outcome.receipts[0].reason) == ("waits", True)
    assert store.meters() == []
    # rows that were set aside leave their marks, of which nothing is left to send
    assert write_batch(store, batch_of([], [METER])).receipts == {}
    right = batch_of([quarter_reading()], [METER])
    both = IngestBatch([*wrong.quarters, replace(right.quarters[0], position=1)])
    assert [*write_batch(store, both).receipts] == [0]
    with store.transaction(write=False) as connection:
        assert claims_of(connection, [1]) == {1: [Claim(0, "cellar")]}
    # of a meter that another one has that is what counts
    assert "is read by cellar" in write_batch(store, wrong).receipts[0].reason


def test_the_command_that_moves_a_meter_is_safe_to_copy(store: Store) -> None:
    """The names in it are chosen by the sender."""
    info = replace(METER, meter_id="1'; reboot #")
    rows = [quarter_reading(meter=info)]
    write_batch(store, batch_of([*rows], [info]))
    contact = LastContact(info.meter_id, "$(reboot)", 1)
    reason = write_batch(store, batch_of([*rows], [info], [contact])).receipts[0].reason
    _, _, command = reason.partition("If it has been moved: ")
    assert shlex.split(command) == ["iskra-server", "fleet", "move", info.meter_id, "--to", "$(reboot)"]
    assert command.endswith("--to '$(reboot)'")
