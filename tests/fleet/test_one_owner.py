"""Faults of two readers with one meter, over a real broker and PostgreSQL: one of them counts, and nothing is lost."""

import pytest

from fleet.conftest import Collect, MakeReader
from fleet.field import FIRST, PATIENCE_S, FieldReader, counted
from iskra_server.fleet.central.claims import move_meter
from iskra_server.fleet.central.conflicts import list_conflicts
from iskra_server.history.model.records import QUARTER_S, EpochStart, Exact, MeterInfo, QuarterReading, Record
from iskra_server.history.store.recorded_meter import recorded_meter
from iskra_server.history.store.store import Store
from running import until
from samples import IMPORT


def write(reader: FieldReader, *records: Record) -> None:
    meter = MeterInfo(reader.meters[0], "0901", False, FIRST * QUARTER_S, (FIRST + 99) * QUARTER_S)
    reader.store.write(records, [meter])


def shown(reader: FieldReader, first: int, end: int, begin: int, epoch: int = 0) -> list[QuarterReading]:
    """A counter that grows by 10 Wh a quarter."""
    return [
        QuarterReading(reader.meters[0], IMPORT, FIRST + place, Exact(begin + 10 * place, 0), "measured", epoch)
        for place in range(first, end)
    ]


def restart(reader: FieldReader, epoch: int, place: int, before: int) -> EpochStart:
    at_s = (FIRST + place) * QUARTER_S - 1
    return EpochStart(reader.meters[0], IMPORT, epoch, at_s, Exact(before, 0), Exact(0, 0))


def test_a_meter_has_one_reader_until_it_is_moved(central: Store, reader: MakeReader, collect: Collect) -> None:
    """A4, A5, A6: a second reader whose clock is 400 s ahead, and then a moved meter with epochs of its own."""
    house_7, house_8 = (reader(name, first_meter=5) for name in ("house-7", "house-8"))
    collect()
    (meter,) = house_7.meters
    write(house_7, *shown(house_7, 0, 5, 50_000))
    write(house_7, restart(house_7, 1, 5, 50_045), *shown(house_7, 5, 10, -50, epoch=1))
    until(lambda: counted(central, "boundary") == 10 and not house_7.waiting, PATIENCE_S)

    # the values of a clock that is ahead, and some that nobody has measured yet
    write(house_8, *shown(house_8, 5, 12, -46))
    until(lambda: house_8.waiting == 7 and "is read by house-7" in house_8.state.sentence, PATIENCE_S)
    assert counted(central, "conflict") == 5
    assert {(row.reader, row.kept_reader) for row in list_conflicts(central, limit=9)[0]} == {("house-8", "house-7")}
    write(house_7, *shown(house_7, 10, 13, -50, epoch=1))
    until(lambda: counted(central, "boundary") == 13 and not house_7.waiting, PATIENCE_S)

    assert move_meter(central, meter, "house-8", (FIRST + 13) * QUARTER_S) == "house-7"
    write(house_8, *shown(house_8, 13, 15, -46), restart(house_8, 1, 15, 100), *shown(house_8, 15, 20, -150, epoch=1))
    write(house_7, *shown(house_7, 13, 14, -50, epoch=1))
    until(lambda: counted(central, "boundary") == 20 and not house_8.waiting, PATIENCE_S)
    assert "is read by house-8" in until(lambda: house_7.state.sentence, PATIENCE_S)

    rows = central.quarter_readings_between(meter, IMPORT, 0, 2**31 - 1)
    assert [row.epoch for row in rows] == [0] * 5 + [1] * 10 + [2] * 5
    recorded = recorded_meter(central, [meter])
    assert recorded
    column = recorded.counter(IMPORT).column(FIRST, FIRST + 19)
    assert column
    # 50,000 to 50,045 and 0 to 100 and 0 to 40 Wh
    assert sum(column.raws) == 45 + 100 + 40
    assert min(column.raws) >= 0


@pytest.mark.slow
def test_quarters_ahead_of_the_clock_wait_and_the_others_do_not(
    central: Store, reader: MakeReader, collect: Collect
) -> None:
    right, wrong = reader("right"), reader("wrong", clock_s=3000 * 86_400)
    collect()
    wrong.live_through(5)
    right.live_through(5)
    until(lambda: not right.waiting and "are not over yet" in wrong.state.sentence, PATIENCE_S)
    assert (wrong.waiting, counted(central, "power"), counted(central, "refused")) == (5, 5, 0)
