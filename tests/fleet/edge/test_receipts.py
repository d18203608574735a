"""What becomes of quarters for each receipt."""

import time

import pytest

from history.entries import METER, QUARTER, quarter_reading
from iskra_server.fleet.edge.receipts import Receipts
from iskra_server.fleet.edge.uplink_queue import Parcel, UplinkQueue
from iskra_server.fleet.edge.uplink_summary import uplink_summary
from iskra_server.fleet.protocol import Receipt
from iskra_server.history.store.store import Store
from samples import METER_ID

WAITS, REFUSED, KEPT = Receipt("waits", "Later."), Receipt("refused", "Never."), Receipt("kept")


@pytest.fixture
def queue(store: Store) -> UplinkQueue:
    queue = UplinkQueue(store)
    queue.enable("cellar")
    store.write([quarter_reading(QUARTER + place) for place in range(8)], [METER])
    return queue


def parcel_of(queue: UplinkQueue, receipts: Receipts) -> Parcel:
    (parcel,) = queue.next_parcels(9, {}, receipts.at_most)
    return parcel


def test_a_refused_parcel_is_divided_until_the_one_quarter_is_found(store: Store, queue: UplinkQueue) -> None:
    receipts = Receipts(60)
    messages = 0
    while parcels := queue.next_parcels(9, {}, receipts.at_most):
        messages += 1
        receipts.add(parcels[0], REFUSED if QUARTER + 5 in parcels[0].marks else KEPT)
        assert receipts.settle(queue) == (list(parcels[0].marks) == [QUARTER + 5])
    (group,) = uplink_summary(store).unconfirmed
    assert (group.first_quarter, group.quarters, group.refused, group.reason) == (QUARTER + 5, 1, True, "Never.")
    assert messages < 10


def test_what_waits_is_due_later_and_at_once_when_something_of_the_meter_is_kept(
    store: Store, queue: UplinkQueue
) -> None:
    receipts = Receipts(60)
    parcel = parcel_of(queue, receipts)
    receipts.add(parcel, WAITS)
    assert receipts.settle(queue)
    assert queue.next_parcels(9, {}) == []
    summary = uplink_summary(store)
    (group,) = summary.unconfirmed
    assert (group.meter, group.quarters, group.reason, summary.waiting, summary.refused) == (
        METER_ID,
        8,
        "Later.",
        8,
        0,
    )
    assert group.retry_s
    assert 30 <= group.retry_s - time.time() <= 61
    store.write([quarter_reading(QUARTER + 8)], [METER])
    closed = parcel_of(queue, receipts)
    assert list(closed.marks) == [QUARTER + 8]
    receipts.add(closed, KEPT)
    receipts.settle(queue)
    assert list(parcel_of(queue, receipts).marks) == list(range(QUARTER, QUARTER + 8))


def test_what_is_answered_but_not_written_is_not_sent_again(queue: UplinkQueue) -> None:
    receipts = Receipts(60)
    parcel = parcel_of(queue, receipts)
    receipts.add(parcel, KEPT)
    assert receipts.unsettled == [parcel]
    assert not receipts.settle(queue)
    assert (receipts.unsettled, queue.count()) == ([], 0)


def test_a_reason_is_logged_once_until_something_of_the_meter_is_kept(
    queue: UplinkQueue, caplog: pytest.LogCaptureFixture
) -> None:
    receipts = Receipts(60)
    parcel = parcel_of(queue, receipts)
    for receipt in (WAITS, WAITS, KEPT, WAITS):
        receipts.add(parcel, receipt)
    assert caplog.text.count(f"Quarter-hours of {METER_ID} stay here: Later.") == 2
