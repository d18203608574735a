from msgspec.structs import replace

from history.entries import AT_S, METER, block, quarter_reading
from iskra_server.history.recording.pending_records import Pending


def test_a_batch_stays_pending_until_it_is_written() -> None:
    pending = Pending()
    pending.add([quarter_reading(), block()], METER, 0.0)
    batch = pending.batch()
    assert (batch.ledger, batch.points, batch.meters) == ((quarter_reading(),), (block(),), (METER,))
    assert (pending.ledger, pending.telegrams, bool(pending)) == (1, 60, True)
    pending.remove_written(batch)
    assert (pending.ledger, pending.telegrams, bool(pending)) == (0, 0, False)


def test_records_added_while_a_batch_is_written_stay() -> None:
    pending = Pending()
    pending.add([quarter_reading(1), block(1)], METER, 0.0)
    batch = pending.batch()
    later = replace(METER, last_s=AT_S + 60)
    pending.add([quarter_reading(2), block(2)], later, 1.0)
    pending.remove_written(batch)
    rest = pending.batch()
    assert (rest.ledger, rest.points, rest.meters) == ((quarter_reading(2),), (block(2),), (later,))


def test_old_points_are_dropped_and_counted_the_ledger_stays() -> None:
    pending = Pending()
    for minute in range(10):
        pending.add([quarter_reading(minute), block(minute)], METER, minute * 60.0)
    assert pending.drop_before(240.0) == 4 * 60
    assert (pending.ledger, pending.telegrams) == (10, 6 * 60)


def test_dropping_points_while_they_are_written_removes_no_others() -> None:
    pending = Pending()
    pending.add([block(1), block(2)], METER, 0.0)
    batch = pending.batch()
    pending.add([block(3)], METER, 9.0)
    pending.drop_before(5.0)
    pending.remove_written(batch)
    assert pending.batch().points == (block(3),)


def test_a_meter_is_merged_with_its_first_and_last_time() -> None:
    pending = Pending()
    for at_s in (50, 20, 70):
        pending.add([], replace(METER, first_s=at_s, last_s=at_s), 0.0)
    assert pending.batch().meters == (replace(METER, first_s=20, last_s=70),)
