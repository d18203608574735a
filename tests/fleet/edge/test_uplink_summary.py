"""What is not at the central server, counted by meter and reason."""

from history.entries import METER, OTHER, QUARTER, quarter_reading
from iskra_server.fleet.edge.uplink_queue import UplinkQueue
from iskra_server.fleet.edge.uplink_summary import Unconfirmed, UplinkSummary, uplink_summary
from iskra_server.history.model.records import QUARTER_S
from iskra_server.history.store.store import Store


def test_a_history_without_an_uplink_has_no_reader(store: Store) -> None:
    assert uplink_summary(store) == UplinkSummary()


def test_quarters_are_counted_by_meter_and_reason_refused_ones_first(store: Store) -> None:
    queue = UplinkQueue(store)
    queue.enable("cellar")
    for meter in (METER, OTHER):
        store.write([quarter_reading(QUARTER + place, meter=meter) for place in range(4)], [meter])
    (one, other) = sorted(queue.next_parcels(9, {}, {METER.meter_id: 1}), key=lambda parcel: len(parcel.marks))
    queue.set_refused(one, "Never.")
    queue.postpone(other, "Later.", 2_000_000_000)
    summary = uplink_summary(store)
    assert summary.unconfirmed == [
        Unconfirmed(METER.meter_id, "Never.", True, 1, QUARTER, QUARTER, None),
        Unconfirmed(OTHER.meter_id, "Later.", False, 4, QUARTER, QUARTER + 3, 2_000_000_000),
        Unconfirmed(METER.meter_id, "", False, 3, QUARTER + 1, QUARTER + 3, None),
    ]
    assert (summary.reader, summary.waiting, summary.refused) == ("cellar", 7, 1)
    assert (summary.oldest_s, summary.confirmed_s) == (QUARTER * QUARTER_S, None)
    queue.confirm([])
    assert uplink_summary(store).confirmed_s is None
    queue.confirm(queue.next_parcels(1, {}))
    assert uplink_summary(store).confirmed_s
