"""A row has every column of its table, by name, and the numbers of its record."""

from history.entries import METER, block, epoch, power, quarter_reading
from iskra_server.history.model.records import Exact
from iskra_server.history.store import schema
from iskra_server.history.store.mapping import epoch_row, meter_row, points_row, power_row, quarter_reading_row


def test_each_row_has_every_column_of_its_table() -> None:
    assert quarter_reading_row(3, quarter_reading()).keys() == set(schema.quarter_reading.c.keys())
    assert epoch_row(3, epoch()).keys() == set(schema.epoch.c.keys())
    assert power_row(7, power()).keys() == set(schema.power.c.keys())
    assert points_row(7, block()).keys() == set(schema.points.c.keys())
    assert meter_row(METER).keys() == set(schema.meter.c.keys()) - {"id", "replaced_by"}


def test_a_counter_is_kept_as_it_was_sent() -> None:
    row = quarter_reading_row(3, quarter_reading(raw=107_323_091))
    assert (row["series"], row["raw"], row["scaler"], row["quality"]) == (3, 107_323_091, -1, 0)
    assert (epoch_row(3, epoch())["before_raw"], epoch_row(3, epoch(before=Exact(5, -4)))["before_raw"]) == (None, 5)
