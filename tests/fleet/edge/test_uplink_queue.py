"""What is marked for the central server, and what is forgotten, on both databases."""

import time

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from history.entries import METER, OTHER, QUARTER, block, epoch, power, quarter_reading
from iskra_server.fleet.edge.uplink_queue import PARCEL, UplinkQueue
from iskra_server.history.model.records import PowerQuarter, Record
from iskra_server.history.store.schema import uplink
from iskra_server.history.store.store import Store
from samples import EXPORT, METER_ID


@pytest.fixture
def queue(store: Store) -> UplinkQueue:
    queue = UplinkQueue(store)
    queue.enable("cellar")
    return queue


def sent(queue: UplinkQueue) -> list[Record]:
    return [record for parcel in queue.next_parcels(9, {}) for record in parcel.records]


def test_without_an_uplink_nothing_is_queued(store: Store) -> None:
    store.write([quarter_reading()], [METER])
    queue = UplinkQueue(store)
    assert (queue.count(), queue.next_parcels(9, {}), store.outbox_revision) == (0, [], 0)


def test_written_records_are_queued_and_sent_unchanged(store: Store, queue: UplinkQueue) -> None:
    rows: list[Record] = [quarter_reading(), quarter_reading(obis=EXPORT), power(), epoch()]
    store.write(rows, [METER])
    assert store.outbox_revision == 1
    (parcel,) = queue.next_parcels(9, {})
    assert parcel.meter == METER
    assert sorted(map(repr, parcel.records)) == sorted(map(repr, rows))
    queue.confirm([parcel])
    assert (queue.count(), queue.next_parcels(9, {})) == (0, [])


def test_earlier_history_is_sent_once_per_reader_name(store: Store) -> None:
    store.write([quarter_reading(), power(QUARTER + 1), epoch()], [METER])
    queue = UplinkQueue(store)
    queue.enable("cellar")
    assert len(sent(queue)) == 3
    queue.confirm(queue.next_parcels(9, {}))
    queue.enable("cellar")
    assert queue.count() == 0
    queue.enable("cellar under another name")
    assert len(sent(queue)) == 3


def test_a_quarter_that_changed_in_flight_is_sent_again(store: Store, queue: UplinkQueue) -> None:
    """A restart within a quarter: the half with more telegrams is the truth, and the central server must have it."""
    store.write([power()], [METER])
    (parcel,) = queue.next_parcels(9, {})
    whole = replace(power(), mean_mw=1, count=901)
    store.write([whole], [METER])
    queue.confirm([parcel])
    assert sent(queue) == [whole]


def test_quarters_in_flight_are_not_sent_twice(store: Store, queue: UplinkQueue) -> None:
    store.write([quarter_reading(QUARTER + place) for place in range(PARCEL + 5)], [METER])
    (first,) = queue.next_parcels(9, {})
    assert list(first.marks) == list(range(QUARTER, QUARTER + PARCEL))
    (second,) = queue.next_parcels(9, {METER_ID: first.marks})
    assert list(second.marks) == list(range(QUARTER + PARCEL, QUARTER + PARCEL + 5))
    assert queue.next_parcels(9, {METER_ID: [*first.marks, *second.marks]}) == []


def test_the_meter_with_the_oldest_quarter_goes_first(store: Store, queue: UplinkQueue) -> None:
    store.write([quarter_reading(QUARTER)], [METER])
    store.write([quarter_reading(QUARTER - 1, meter=OTHER)], [OTHER])
    assert [parcel.meter.meter_id for parcel in queue.next_parcels(9, {})] == [OTHER.meter_id, METER_ID]
    assert [parcel.meter.meter_id for parcel in queue.next_parcels(1, {})] == [OTHER.meter_id]


def test_a_week_of_five_meters_is_sent_in_parcels_of_a_day(store: Store, queue: UplinkQueue) -> None:
    meters = [replace(METER, meter_id=f"1 ISK 00 {number:08}") for number in range(5)]
    for meter in meters:
        store.write([quarter_reading(QUARTER + place, meter=meter) for place in range(7 * 96)], [meter])
    parcels = 0
    while found := queue.next_parcels(8, {}):
        assert all(len(parcel.marks) == PARCEL for parcel in found)
        queue.confirm(found)
        parcels += len(found)
    assert parcels == 7 * len(meters)


def test_points_are_not_queued(store: Store, queue: UplinkQueue) -> None:
    store.write([block()], [METER])
    assert (queue.count(), store.outbox_revision) == (0, 0)


def test_a_power_quarter_alone_is_a_parcel(store: Store, queue: UplinkQueue) -> None:
    store.write([power()], [METER])
    assert [type(record) for record in sent(queue)] == [PowerQuarter]


def test_the_name_and_the_ledger_of_a_history_are_made_once(store: Store) -> None:
    queue = UplinkQueue(store)
    first = queue.enable(user="house-7")
    assert (first.reader, len(first.ledger)) == ("house-7", 32)
    assert queue.enable(user="house-8") == first
    assert queue.enable() == first
    assert queue.enable("cellar") == replace(first, reader="cellar")


def test_a_history_of_an_earlier_version_keeps_its_name_and_gets_a_ledger(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute(insert(uplink).values(reader="raspberrypi", since_s=1))
    store.write([quarter_reading()], [METER])
    made = UplinkQueue(store).enable(user="house-7")
    assert (made.reader, len(made.ledger), UplinkQueue(store).count()) == ("raspberrypi", 32, 1)


def test_a_refused_quarter_is_sent_again_on_request_alone(store: Store, queue: UplinkQueue) -> None:
    store.write([quarter_reading(QUARTER + place) for place in range(3)], [METER])
    (parcel,) = queue.next_parcels(9, {}, {METER_ID: 1})
    queue.set_refused(parcel, "Never.")
    (others,) = queue.next_parcels(9, {})
    assert list(others.marks) == [QUARTER + 1, QUARTER + 2]
    queue.confirm([others], [METER_ID])
    assert (queue.count(), queue.next_parcels(9, {})) == (1, [])
    assert queue.resend(QUARTER + 1) == 2
    assert [list(each.marks) for each in queue.next_parcels(9, {})] == [[QUARTER + 1, QUARTER + 2]]
    assert queue.resend(QUARTER, OTHER.meter_id) == 0
    assert queue.resend(QUARTER, METER_ID) == 3
    (again,) = queue.next_parcels(9, {})
    assert again.marks == {QUARTER: 2, QUARTER + 1: 2, QUARTER + 2: 2}


def test_a_quarter_that_changed_since_it_was_refused_is_sent(store: Store, queue: UplinkQueue) -> None:
    store.write([power()], [METER])
    (parcel,) = queue.next_parcels(9, {})
    store.write([replace(power(), mean_mw=1, count=901)], [METER])
    queue.set_refused(parcel, "Never.")
    assert len(queue.next_parcels(9, {})) == 1


def test_a_retry_that_a_step_of_the_clock_moved_far_away_is_due(store: Store, queue: UplinkQueue) -> None:
    store.write([power()], [METER])
    (parcel,) = queue.next_parcels(9, {})
    for retry_s, is_due in ((time.time() + 60, False), (time.time() - 1, True), (time.time() + 86_400, True)):
        queue.postpone(parcel, "Later.", int(retry_s))
        assert bool(queue.next_parcels(9, {})) == is_due
