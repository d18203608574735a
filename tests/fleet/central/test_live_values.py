"""Live values that wait: the newest of each meter, whatever arrives."""

from iskra_server.fleet.central.live_values import NewestLiveValues
from iskra_server.fleet.central.tables import LastContact


def value(meter: int, at_s: int, reader: str = "cellar") -> LastContact:
    return LastContact(f"meter {meter}", reader, at_s, at_s * 10, is_live=True)


def test_a_newer_value_of_a_meter_replaces_the_older_one() -> None:
    values = NewestLiveValues()
    for at_s in range(1000):
        values.put(value(at_s % 3, at_s))
    assert len(values) == 3
    assert values.take(2) == [value(0, 999), value(1, 997)]
    assert values.take(2) == [value(2, 998)]
    assert values.take(2) == []
    assert values.dropped == 997


def test_another_reader_does_not_replace_the_value_of_a_meter() -> None:
    values = NewestLiveValues()
    values.put(value(1, 5))
    values.put(value(1, 6, "attic"))
    assert values.take(9) == [value(1, 5), value(1, 6, "attic")]


def test_there_is_room_for_so_many_meters_and_no_more() -> None:
    values = NewestLiveValues(max_meters=2)
    for meter in range(5):
        values.put(value(meter, meter))
    values.put(value(1, 9))
    assert values.take(9) == [value(0, 0), value(1, 9)]
    assert values.dropped == 4
