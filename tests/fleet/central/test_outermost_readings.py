"""Outermost readings of counters, with the epochs in the order of time; test_group_sums.py counts the statements."""

from msgspec.structs import replace
from sqlalchemy import func, select

from history.entries import METER, OTHER, QUARTER, quarter_reading
from iskra_server.fleet.central.outermost_readings import epoch_orders, outermost_of, with_outermost
from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.records import EpochStart, Exact
from iskra_server.history.store.schema import quarter_reading as readings
from iskra_server.history.store.schema import series
from iskra_server.history.store.store import Store
from samples import IMPORT


def test_readings_and_epochs_of_two_counters(store: Store) -> None:
    """The first one went from epoch 4 to 2: 10 Wh before the restart and 5 Wh after it."""
    start = EpochStart(METER.meter_id, IMPORT, 2, (QUARTER + 1) * 900 + 5, Exact(200, -1), Exact(0, -1))
    earlier = EpochStart(METER.meter_id, IMPORT, 4, (QUARTER - 9) * 900, Exact(9, -1), Exact(0, -1))
    rows = [replace(quarter_reading(QUARTER + at, raw), epoch=4) for at, raw in ((0, 100), (1, 150))]
    rows += [replace(quarter_reading(QUARTER + 2, 50), epoch=2, quality="interpolated")]
    store.write([*rows, start, earlier], [METER])
    store.write([quarter_reading(QUARTER + at, 10 * at, meter=OTHER) for at in (1, 3, 4)], [OTHER])
    quarters = func.min(readings.c.quarter).label("first"), func.max(readings.c.quarter).label("last")
    rows_read = store.query(with_outermost(select(readings.c.series, *quarters).group_by(readings.c.series).subquery()))
    ids = {row.meter: row.id for row in store.query(select(series))}
    with store.transaction() as connection:
        numbers = store.meter_row_ids(connection, [METER.meter_id, OTHER.meter_id])
    counters = {ids[number]: (name, IMPORT) for name, number in numbers.items()}
    orders = epoch_orders(store, counters)
    ends = {row.series: outermost_of(row, *counters[row.series], orders[row.series]) for row in rows_read}
    restarted, other = (ends[ids[numbers[info.meter_id]]] for info in (METER, OTHER))
    assert [reading.epoch for reading in restarted] == [1, 2]
    assert [reading.quality for reading in restarted] == ["measured", "interpolated"]
    assert energy_between(*restarted, orders[ids[numbers[METER.meter_id]]].starts) == 15
    assert [(reading.quarter - QUARTER, reading.value.raw, reading.epoch) for reading in other] == [
        (1, 10, 0),
        (4, 40, 0),
    ]
    assert orders[ids[numbers[OTHER.meter_id]]].starts == []
