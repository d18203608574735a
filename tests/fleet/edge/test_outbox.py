"""What is marked for the centre, and what is forgotten, on both databases."""

import pytest
from msgspec.structs import replace

from history.entries import METER, OTHER, QUARTER, block, epoch, power, quarter_reading
from iskra_server.fleet.edge.outbox import PARCEL, Outbox
from iskra_server.history.model.records import PowerQuarter, Record
from iskra_server.history.store.store import Store
from samples import EXPORT, METER_ID


@pytest.fixture
def box(store: Store) -> Outbox:
    outbox = Outbox(store)
    outbox.begin("cellar")
    return outbox


def sent(box: Outbox) -> list[Record]:
    return [record for parcel in box.parcels(9, {}) for record in parcel.records]


def test_nothing_is_marked_where_nobody_wants_it(store: Store) -> None:
    store.write([quarter_reading()], [METER])
    box = Outbox(store)
    assert (box.waiting(), box.parcels(9, {}), store.outbox_revision) == (0, [], 0)


def test_what_is_written_is_marked_and_sent_as_it_is(store: Store, box: Outbox) -> None:
    rows: list[Record] = [quarter_reading(), quarter_reading(obis=EXPORT), power(), epoch()]
    store.write(rows, [METER])
    assert store.outbox_revision == 1
    (parcel,) = box.parcels(9, {})
    assert parcel.meter == METER
    assert sorted(map(repr, parcel.records)) == sorted(map(repr, rows))
    box.confirm([parcel])
    assert (box.waiting(), box.parcels(9, {})) == (0, [])


def test_what_was_there_before_is_sent_too_and_only_once(store: Store) -> None:
    store.write([quarter_reading(), power(QUARTER + 1), epoch()], [METER])
    box = Outbox(store)
    box.begin("cellar")
    assert len(sent(box)) == 3
    box.confirm(box.parcels(9, {}))
    box.begin("cellar")
    assert box.waiting() == 0
    box.begin("cellar under another name")
    assert len(sent(box)) == 3


def test_what_changed_on_its_way_is_sent_again(store: Store, box: Outbox) -> None:
    """A restart within a quarter: the half with more telegrams is the truth, and the centre must have it."""
    store.write([power()], [METER])
    (parcel,) = box.parcels(9, {})
    whole = replace(power(), mean_mw=1, count=901)
    store.write([whole], [METER])
    box.confirm([parcel])
    assert sent(box) == [whole]


def test_what_is_on_its_way_is_not_sent_twice(store: Store, box: Outbox) -> None:
    store.write([quarter_reading(QUARTER + place) for place in range(PARCEL + 5)], [METER])
    (first,) = box.parcels(9, {})
    assert list(first.marks) == list(range(QUARTER, QUARTER + PARCEL))
    (second,) = box.parcels(9, {METER_ID: first.marks})
    assert list(second.marks) == list(range(QUARTER + PARCEL, QUARTER + PARCEL + 5))
    assert box.parcels(9, {METER_ID: [*first.marks, *second.marks]}) == []


def test_the_meter_that_waits_longest_goes_first(store: Store, box: Outbox) -> None:
    store.write([quarter_reading(QUARTER)], [METER])
    store.write([quarter_reading(QUARTER - 1, meter=OTHER)], [OTHER])
    assert [parcel.meter.meter_id for parcel in box.parcels(9, {})] == [OTHER.meter_id, METER_ID]
    assert [parcel.meter.meter_id for parcel in box.parcels(1, {})] == [OTHER.meter_id]


def test_a_month_of_many_meters_goes_in_parcels_of_a_day(store: Store, box: Outbox) -> None:
    meters = [replace(METER, meter_id=f"1 ISK 00 {number:08}") for number in range(5)]
    for meter in meters:
        store.write([quarter_reading(QUARTER + place, meter=meter) for place in range(30 * 96)], [meter])
    parcels = 0
    while found := box.parcels(8, {}):
        assert all(len(parcel.marks) == PARCEL for parcel in found)
        box.confirm(found)
        parcels += len(found)
    assert parcels == 30 * len(meters)


def test_marking_ends(store: Store, box: Outbox) -> None:
    store.write([quarter_reading()], [METER])
    box.end()
    store.write([quarter_reading(QUARTER + 1)], [METER])
    assert box.waiting() == 0


def test_points_are_no_business_of_the_centre(store: Store, box: Outbox) -> None:
    store.write([block()], [METER])
    assert (box.waiting(), store.outbox_revision) == (0, 0)


def test_a_power_quarter_alone_is_a_parcel(store: Store, box: Outbox) -> None:
    store.write([power()], [METER])
    assert [type(record) for record in sent(box)] == [PowerQuarter]
