from history.entries import METER, QUARTER, quarter_reading
from iskra_server.history.model.records import Exact, QuarterReading
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.readings_in_memory import ReadingsInMemory
from iskra_server.history.store.store import Store
from samples import IMPORT, METER_ID


def test_outermost_readings_and_counts_of_a_part(store: Store) -> None:
    rows = [quarter_reading(QUARTER + place, 10 * place) for place in (0, 1, 2, 5, 6)]
    rows[1] = QuarterReading(METER_ID, IMPORT, QUARTER + 1, Exact(10, -1), "interpolated")
    # another scaler: the database gives them in two parts
    rows.append(QuarterReading(METER_ID, IMPORT, QUARTER + 7, Exact(700, -2), "interpolated"))
    store.write(rows, [METER])
    readings = ReadingsInMemory(CounterHistory(store, [METER_ID], IMPORT), QUARTER, QUARTER + 7)

    def outermost(begin: int, end: int) -> list[int]:
        ends = readings.outermost(QUARTER + begin, QUARTER + end)
        return [reading.quarter - QUARTER for reading in ends or ()]

    assert [outermost(0, 7), outermost(1, 4), outermost(3, 5), outermost(3, 4)] == [[0, 7], [1, 2], [5, 5], []]
    both = readings.outermost(QUARTER, QUARTER + 1), readings.outermost(QUARTER + 7, QUARTER + 7)
    assert [end.quality for ends in both for end in ends or ()] == ["measured", *["interpolated"] * 3]
    assert both[1] and both[1][1].value == Exact(700, -2)
    counts = [readings.count(QUARTER + begin, QUARTER + end) for begin, end in ((0, 7), (1, 5), (2, 6), (3, 4))]
    assert counts == [(4, 3), (1, 1), (1, 0), (0, 0)]
    (gap,) = readings.gaps()
    assert [reading.quarter - QUARTER for reading in gap] == [2, 5]
