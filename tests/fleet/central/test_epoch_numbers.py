"""The epochs of the central server, by examples; test_interleavings.py tries any order."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise, permutations

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, insert

from fleet.batches import batch_of
from fleet.sums import group_energy
from history.entries import METER, QUARTER
from iskra_server.fleet.central.claims import move_meter
from iskra_server.fleet.central.counter_rows import CounterRows, StoredRow
from iskra_server.fleet.central.epoch_numbers import SentRows, place
from iskra_server.fleet.central.label_periods import Group
from iskra_server.fleet.central.queries import set_labels
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import LastContact, write_batch
from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.records import EpochStart, Exact, QuarterReading, Record
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.metered_energy import metered_energy
from iskra_server.history.store.readings_in_memory import ReadingsInMemory
from iskra_server.history.store.schema import ALWAYS, epoch_origin
from iskra_server.history.store.store import Store
from samples import IMPORT, METER_ID

NOW_S = 1_795_000_000


def reading(place: int, raw: int, epoch: int = 0) -> QuarterReading:
    return QuarterReading(METER_ID, IMPORT, QUARTER + place, Exact(raw, 0), "measured", epoch)


def start(epoch: int, place: int, before: int, after: int, second: int = 0) -> EpochStart:
    at_s = (QUARTER + place) * 900 + second
    return EpochStart(METER_ID, IMPORT, epoch, at_s, Exact(before, 0), Exact(after, 0))


def send(store: Store, name: str, ledger: str, *records: Record) -> None:
    batch = batch_of(records, [METER], [LastContact(METER_ID, name, 0)], ledger=ledger)
    assert write_batch(store, batch, NOW_S).receipts == {}


def move(store: Store, to: str, place: int) -> None:
    write_batch(store, batch_of(readers=[ReaderState(to, 1, True, "Fine.", "[]")]))
    move_meter(store, METER_ID, to, (QUARTER + place) * 900)


def epochs(store: Store) -> str:
    rows = store.quarter_readings_between(METER_ID, IMPORT, 0, ALWAYS)
    return " ".join(f"{row.value.raw}:{row.epoch}" for row in rows)


def test_the_epochs_of_one_reader_keep_their_numbers(store: Store) -> None:
    send(store, "one", "a", reading(0, 100), reading(1, 110))
    restart = start(1, 1, 115, 0, 400)
    send(store, "one", "a", restart, reading(2, 5, 1))
    send(store, "one", "a", restart, reading(2, 5, 1), reading(3, 9, 1))
    assert (epochs(store), store.epochs(METER_ID, IMPORT)) == ("100:0 110:0 5:1 9:1", [restart])


def test_a_moved_meter_never_counts_backwards(store: Store) -> None:
    """A6: epochs 0 and 1 of one reader, then 0 and 1 of another one."""
    send(store, "one", "a", reading(0, 50_000), start(1, 0, 50_100, 0, 9), reading(1, 10, 1), reading(2, 20, 1))
    move(store, "other", 3)
    send(store, "other", "b", reading(3, 30), start(1, 3, 35, 0, 9), reading(4, 4, 1))
    assert epochs(store) == "50000:0 10:1 20:1 30:1 4:2"
    assert store.epochs(METER_ID, IMPORT) == [start(1, 0, 50_100, 0, 9), start(2, 3, 35, 0, 9)]
    # the first one was away: its last quarters come late, and are its epoch 1 as before
    move(store, "one", 6)
    send(store, "one", "a", reading(6, 12_000, 1))
    assert epochs(store) == "50000:0 10:1 20:1 30:1 4:2 12000:1"


def test_an_epoch_of_which_nobody_says_what_was_before_counts_nothing_before_it(store: Store) -> None:
    """A new reader has seen a restart before it knew the counter: the counter would have gone back by 50,110 Wh."""
    since = EpochStart(METER_ID, IMPORT, 1, (QUARTER + 3) * 900 + 9, None, Exact(4, 0))
    send(store, "one", "a", reading(0, 50_000), reading(1, 50_110))
    move(store, "other", 2)
    for _ in range(2):
        send(store, "other", "b", since, reading(4, 6, 1), reading(5, 9, 1))
        assert epochs(store) == "50000:0 50110:0 6:1 9:1"
        assert store.epochs(METER_ID, IMPORT) == [replace(since, before=Exact(50_110, 0))]


def test_it_is_the_same_where_the_rows_before_it_come_late(store: Store) -> None:
    since = EpochStart(METER_ID, IMPORT, 1, (QUARTER + 3) * 900 + 9, None, Exact(4, 0))
    send(store, "one", "a", reading(0, 50_000))
    move(store, "other", 2)
    send(store, "other", "b", since, reading(4, 6, 1))
    send(store, "one", "a", reading(1, 50_110))
    send(store, "other", "b", since, reading(4, 6, 1), reading(5, 9, 1))
    assert store.epochs(METER_ID, IMPORT) == [replace(since, before=Exact(50_110, 0))]


def test_what_was_before_an_epoch_is_the_last_row_also_of_the_same_batch(store: Store) -> None:
    send(store, "one", "a", reading(0, 100))
    since = EpochStart(METER_ID, IMPORT, 1, (QUARTER + 2) * 900 + 9, None, Exact(4, 0))
    send(store, "one", "a", reading(1, 120), reading(2, 150), since, reading(3, 6, 1))
    assert store.epochs(METER_ID, IMPORT) == [replace(since, before=Exact(150, 0))]


def test_a_restart_that_two_readers_saw_counts_once(store: Store) -> None:
    send(store, "one", "a", reading(0, 100))
    move(store, "other", 1)
    send(store, "other", "b", reading(1, 110), start(1, 1, 112, 0, 9), reading(2, 6, 1))
    move(store, "one", 3)
    # it saw the restart only now
    send(store, "one", "a", start(1, 3, 100, 9), reading(3, 9, 1))
    assert counted(store, 4) == [10, 2 + 6, 3]
    assert store.epochs(METER_ID, IMPORT) == [start(1, 1, 112, 0, 9), start(2, 3, 9, 9)]


def test_a_restart_that_two_readers_saw_late_counts_once(store: Store) -> None:
    """Nobody saw the first restart, so what the first reader knew before the second one is not what that ended."""
    send(store, "one", "a", reading(0, 100_000))
    move(store, "other", 1)
    send(store, "other", "b", reading(1, 63), reading(2, 928))
    move(store, "one", 3)
    send(store, "one", "a", start(1, 3, 100_000, 40), reading(3, 40, 1), reading(4, 678, 1))
    move(store, "other", 5)
    send(store, "other", "b", start(1, 5, 928, 811), reading(5, 811, 1))
    assert counted(store, 6) == [0, 865, 0, 638, 133]


def test_restarts_whose_order_a_clock_that_was_set_back_has_changed_count_all(store: Store) -> None:
    starts = start(1, 1, 110, 0, 9), start(2, 1, 50, 0, 500), start(3, 1, 30, 0, 300)
    send(store, "one", "a", reading(1, 100), *starts, reading(2, 5, 3))
    assert counted(store, 3) == [10 + 50 + 30 + 5]


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("begin", [0, 5000])
def test_a_restart_seen_late_counts_what_came_since_in_every_order(
    store: Store, begin: int, order: tuple[int, ...]
) -> None:
    """The second reader saw it; the rows of the third one may seem to go on with the epoch before it."""
    send(store, "one", "a", reading(1, 90), reading(2, 100))
    for since, name in ((3, "other"), (4, "third"), (6, "one")):
        move(store, name, since)
    parts: list[tuple[str, str, list[Record]]] = [
        ("other", "b", [start(1, 2, 110, begin, 9), reading(3, begin + 5, 1)]),
        ("third", "c", [reading(4, begin + 180), reading(5, begin + 200)]),
        ("one", "a", [start(1, 6, 100, begin + 300), reading(6, begin + 300, 1)]),
    ]
    for number in order:
        name, ledger, records = parts[number]
        send(store, name, ledger, *records)
    assert counted(store, 7) == [10, 10 + 5, 175, 20, 100]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_backlog_with_a_restart_upward_goes_on_with_the_rows_of_the_next_reader(
    store: Store, order: tuple[int, ...]
) -> None:
    """The reader was away when the meter moved; 12 Wh before the restart, 30 Wh after it until the last row."""
    send(store, "other", "b", reading(4, 5020), reading(5, 5030))
    move(store, "one", 6)
    backlog: list[list[Record]] = [
        [reading(0, 100), reading(1, 110)],
        [start(1, 1, 112, 5000, 9), reading(2, 5004, 1)],
        [reading(3, 5010, 1)],
    ]
    for part in order:
        send(store, "one", "a", *backlog[part])
    assert store.epochs(METER_ID, IMPORT)[0].before == Exact(112, 0)
    span = QUARTER, QUARTER + 5
    energy = metered_energy(ReadingsInMemory(CounterHistory(store, [METER_ID], IMPORT), *span), *span)
    assert energy.energy_wh == 12 + 30 and energy.is_complete
    set_labels(store, {METER_ID: {"building": "7"}})
    sums = group_energy(store, Group("building", "7"), IMPORT, range(QUARTER, QUARTER + 6), until=ALWAYS)
    assert [bucket.energy for bucket in sums.buckets] == [10, 6, 6, 10, 10]
    assert sums.completeness.complete == 1


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_backlog_that_ends_above_the_next_readers_first_row_counts_nothing_there(
    store: Store, order: tuple[int, ...]
) -> None:
    """Nobody has seen that the counter restarted again; the middle of the backlog could go on with the next rows."""
    send(store, "other", "b", reading(7, 65), reading(8, 75))
    move(store, "one", 9)
    backlog: list[list[Record]] = [
        [reading(0, 1000), reading(1, 1010)],
        [start(1, 1, 1012, 0, 9), reading(2, 4, 1), reading(3, 50, 1)],
        [start(2, 3, 52, 0, 9), reading(4, 100, 2), reading(5, 200, 2)],
    ]
    for part in order:
        send(store, "one", "a", *backlog[part])
    assert counted(store, 9) == [10, 6, 46, 102, 100, 0, 10]
    # by then its reader has also sent what comes before
    move(store, "other", 9)
    send(store, "other", "b", reading(6, 60))
    energies = [10, 6, 46, 102, 100, 0, 5, 10]
    assert counted(store, 9) == energies
    set_labels(store, {METER_ID: {"building": "7"}})
    for edges in (range(QUARTER, QUARTER + 9), (QUARTER, QUARTER + 8)):
        sums = group_energy(store, Group("building", "7"), IMPORT, edges, until=ALWAYS)
        assert sum(bucket.energy or 0 for bucket in sums.buckets) == sum(energies)


def counted(store: Store, end: int) -> list[Decimal]:
    """The energy from each row to the next."""
    counter = CounterHistory(store, [METER_ID], IMPORT)
    rows = pairwise(counter.between(QUARTER, QUARTER + end))
    return [energy_between(before, after, counter.epochs) for before, after in rows]


def test_a_counter_that_does_not_go_on_begins_an_epoch_with_its_first_row(store: Store) -> None:
    send(store, "one", "a", reading(0, 100), reading(1, 110))
    send(store, "one", "new card", reading(5, 8))
    assert store.epochs(METER_ID, IMPORT) == [start(1, 5, 110, 8)]
    # both ends move where late rows come
    send(store, "one", "new card", reading(4, 6))
    send(store, "one", "a", reading(2, 120))
    assert (epochs(store), store.epochs(METER_ID, IMPORT)) == ("100:0 110:0 120:0 6:1 8:1", [start(1, 4, 120, 6)])


def test_a_copied_card_that_sees_another_restart(store: Store) -> None:
    """Both histories have the same name and number: the epochs are different all the same."""
    send(store, "one", "a", reading(0, 100), start(1, 0, 105, 0, 9), reading(1, 5, 1), reading(2, 90, 1))
    other = start(1, 4, 100, 0, 9)
    for _ in range(2):
        send(store, "one", "a", other, reading(5, 3, 1))
    assert epochs(store) == "100:0 5:1 90:1 3:2"
    assert [each.epoch for each in store.epochs(METER_ID, IMPORT)] == [1, 2]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_restart_while_the_card_was_changed(store: Store, order: tuple[int, ...]) -> None:
    """Nobody saw it: the last row of the new card could go on with those of the former one, its first one could not."""
    parts = [
        ("a", reading(0, 100)),
        ("a", reading(1, 500)),
        ("new card", reading(2, 20)),
        ("new card", reading(3, 300)),
    ]
    for number in order:
        send(store, "one", *parts[number])
    assert counted(store, 4) == [400, 0, 280]


def test_epochs_of_one_number_that_were_seen_to_start_twice_are_two(store: Store) -> None:
    """The first epoch of the new card was not known yet, and its second one seemed to be that of the former one."""
    send(store, "one", "a", reading(0, 100), start(1, 0, 105, 0, 9), reading(1, 7, 1), reading(2, 20, 1))
    send(store, "one", "new card", reading(5, 60, 1), reading(6, 90, 1))
    send(store, "one", "new card", reading(3, 30), start(1, 4, 55, 0, 9))
    send(store, "one", "new card", reading(4, 40))
    assert counted(store, 7) == [5 + 7, 13, 10, 10, 15 + 60, 30]


def test_what_a_reader_saw_hours_after_a_row_is_not_where_that_began(store: Store) -> None:
    """The same, where the former card never said how its epoch began."""
    send(store, "one", "a", reading(0, 100), reading(1, 0, 1), reading(2, 20, 1))
    send(store, "one", "new card", reading(13, 60, 1))
    send(store, "one", "new card", reading(11, 30), start(1, 12, 55, 0, 9), reading(14, 90, 1))
    send(store, "one", "new card", reading(12, 40))
    assert counted(store, 15) == [0, 20, 10, 10, 15 + 60, 30]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_restart_by_a_clock_that_was_set_is_the_same_under_a_new_name(store: Store, order: tuple[int, ...]) -> None:
    """It was noted before a row of the epoch before: under the new name, too, it counts behind that."""
    parts: list[list[Record]] = [
        [start(1, 0, 120, 0, 450), reading(2, 5, 1)],
        [reading(0, 100), reading(1, 110)],
        [reading(3, 9, 1)],
    ]
    for part in parts:
        send(store, "one", "a", *part)
    move(store, "renamed", 4)
    for number in order:
        send(store, "renamed", "a", *parts[number])
        assert counted(store, 4) == [10, 10 + 5, 4]


def test_a_copied_card_that_sends_a_restart_again_goes_on_with_its_epoch(store: Store) -> None:
    first, other = start(1, 0, 50_005, 0, 9), start(1, 5, 50_000, 700)
    send(store, "one", "a", reading(0, 50_000), first, reading(1, 5, 1), reading(2, 90, 1))
    for _ in range(2):
        send(store, "one", "a", other, reading(5, 700, 1))
        send(store, "one", "a", first, reading(1, 5, 1), reading(3, 95, 1))
    assert epochs(store) == "50000:0 5:1 90:1 95:1 700:2"
    assert counted(store, 6) == [5 + 5, 85, 5, 605]


def test_rows_go_with_their_epoch_when_it_gets_another_number(store: Store) -> None:
    """Another reader went on with it while only its first row was known, and had that row before its own."""
    send(store, "one", "a", reading(5, 763, 1))
    move(store, "other", 19)
    send(store, "other", "b", reading(21, 1026))
    send(store, "one", "a", reading(6, 1079, 1), reading(7, 1450, 1))
    send(store, "other", "b", reading(19, 365), reading(20, 672))
    assert epochs(store) == "763:0 1079:0 1450:0 365:1 672:1 1026:1"


def test_two_restarts_within_an_hour_are_not_the_same(store: Store) -> None:
    """Each of another reader, from 0; by a clock that was set the first one was after its row."""
    send(store, "one", "a", reading(0, 100), start(1, 3, 120, 0, 300), reading(3, 1, 1))
    move(store, "other", 4)
    send(store, "other", "b", start(1, 5, 50, 0, 450), reading(6, 7, 1))
    send(store, "other", "b", reading(4, 20))
    assert epochs(store) == "100:0 1:1 20:1 7:2"
    assert counted(store, 7) == [20 + 1, 19, 30 + 7]


def test_the_number_of_an_epoch_that_a_copied_card_left_is_not_used_again(store: Store) -> None:
    send(store, "one", "a", reading(0, 100), start(1, 0, 105, 0, 9), reading(1, 5, 1), reading(2, 90, 1))
    send(store, "one", "a", start(1, 4, 100, 0, 9), reading(5, 3, 1))
    move(store, "other", 6)
    send(store, "other", "b", start(1, 6, 9, 0, 9), reading(7, 1, 1))
    assert epochs(store) == "100:0 5:1 90:1 3:2 1:3"


def test_a_wrong_reader_leaves_numbers_for_the_right_one(store: Store) -> None:
    """After the last number of the column nothing of this counter could be stored, and the right reader was refused."""
    send(store, "wrong", "a", reading(0, 9, 2**31 - 1))
    move(store, "right", 1)
    send(store, "right", "b", reading(1, 5), start(1, 1, 7, 0, 9), reading(2, 1, 1))
    assert epochs(store) == f"9:{2**31 - 1} 5:0 1:1"
    move(store, "third", 3)
    send(store, "third", "c", reading(3, 0))
    assert epochs(store).endswith("1:1 0:2")


def test_a_reader_that_names_its_history_from_now_on_keeps_its_epochs(store: Store) -> None:
    """First an old reader at an old central server, then a new one at a new one."""
    send(store, "one", "", start(2, 0, 100, 0, 9), reading(1, 5, 2))
    with store.transaction() as connection:
        # as the migration leaves it
        connection.execute(delete(epoch_origin))
        rows = [{"series": 1, "ledger": "", "ledger_epoch": number, "epoch": number} for number in (0, 2)]
        connection.execute(insert(epoch_origin), [{**row, "from_quarter": ALWAYS} for row in rows])
    send(store, "one", "", reading(2, 10, 2))
    send(store, "one", "a", reading(3, 20, 2))
    send(store, "one", "a", reading(1, 5, 2), reading(2, 10, 2), reading(4, 30, 2))
    assert epochs(store) == "5:2 10:2 20:2 30:2"


def test_a_reader_that_goes_back_to_a_backup(store: Store) -> None:
    """The backup has epoch 1. Restarts at the quarters 2 and 5 were and are its next one: 2 in both histories."""
    send(store, "one", "a", reading(0, 100), start(1, 0, 105, 0, 9), reading(1, 7, 1))
    send(store, "one", "a", start(2, 1, 9, 0, 9), reading(2, 5, 2), reading(3, 8, 2))
    send(store, "one", "b", start(2, 5, 20, 0, 9), reading(6, 3, 2), reading(7, 12, 2))
    assert epochs(store) == "100:0 7:1 5:2 8:2 3:3 12:3"


def test_a_reader_that_goes_back_to_a_backup_of_the_same_epoch(store: Store) -> None:
    send(store, "one", "a", reading(0, 100), start(1, 0, 105, 0, 9), reading(1, 7, 1), reading(2, 8, 1))
    send(store, "one", "b", reading(3, 9, 1), reading(4, 11, 1))
    assert epochs(store) == "100:0 7:1 8:1 9:1 11:1"


def test_rows_of_a_known_counter_are_not_compared(store: Store) -> None:
    """The usual case: one query, whatever the number of rows."""
    send(store, "one", "a", reading(0, 100))
    with store.transaction() as connection:
        sent = [_sent([reading(place, 100 + place) for place in range(1, 50)])]
        placed = place(store, connection, sent)
    assert (len(placed.readings), placed.backward, placed.starts) == (49, [], [])


def test_rows_to_be_added_count_like_those_that_are_stored(store: Store) -> None:
    send(store, "one", "a", reading(0, 100), reading(4, 140))
    with store.transaction() as connection:
        rows = CounterRows(store, connection, 1, is_new=False)
        rows.add([StoredRow(QUARTER + 2, Exact(120, 0), 1)])
        assert [row.wh for row in rows.between(QUARTER, QUARTER + 4)] == [100, 120, 140]
        found = [rows.before(QUARTER + 4), rows.before(QUARTER + 4, 0), rows.after(QUARTER), rows.after(QUARTER + 2, 1)]
    assert [row and row.value.raw for row in found] == [120, 100, 120, None]


def test_rows_outside_the_times_of_a_reader_keep_their_epoch(store: Store) -> None:
    send(store, "one", "a", reading(0, 100), reading(1, 110))
    with store.transaction() as connection:
        rows = CounterRows(store, connection, 1, is_new=False)
        rows.renumber(0, 7, [])
        rows.renumber(0, 8, [range(QUARTER + 1, QUARTER + 2)])
    assert epochs(store) == "100:0 110:8"


def _sent(readings: Sequence[QuarterReading]) -> SentRows:
    return SentRows(1, 1, METER_ID, IMPORT, "one", "a@one", 0, readings)
