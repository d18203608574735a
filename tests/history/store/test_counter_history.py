from decimal import Decimal

import pytest
from msgspec.structs import replace

from history.entries import METER, OTHER, QUARTER, SIMULATED, quarter_reading
from iskra_server.history.model.energy import continuous_total, energy_between, energy_in_buckets
from iskra_server.history.model.records import EpochStart, Exact, MeterInfo
from iskra_server.history.store.counter_history import CounterHistory, ordered_chain
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT, METER_ID

THIRD = replace(OTHER, meter_id="1 ISK 00 00000003")
LINE = [OTHER.meter_id, METER_ID, THIRD.meter_id]


@pytest.fixture
def counter(sqlite: Store) -> CounterHistory:
    """Three meters, one after the other; the second began anew once while it counted."""
    sqlite.write([quarter_reading(QUARTER + place, raw=1000 + place, meter=OTHER) for place in range(4)], [OTHER])
    second = [quarter_reading(QUARTER + place, raw=place) for place in (3, 4)]
    second += [replace(quarter_reading(QUARTER + place, raw=place), epoch=1) for place in (6, 7)]
    anew = EpochStart(METER_ID, IMPORT, 1, (QUARTER + 5) * 900 + 60, Exact(90, -1), Exact(5, -1))
    sqlite.write([*second, anew], [METER])
    sqlite.write([replace(quarter_reading(QUARTER + 9, raw=7, meter=THIRD), epoch=2)], [THIRD])
    return CounterHistory(sqlite, LINE, IMPORT)


def test_the_readings_of_a_chain_of_meters_are_one_counter(counter: CounterHistory) -> None:
    found = list(counter.between(QUARTER, QUARTER + 20))
    shown = [(each.quarter - QUARTER, each.value.raw, each.epoch) for each in found]
    assert shown == [(0, 1000, 0), (1, 1001, 0), (2, 1002, 0), (3, 3, 1), (4, 4, 1), (6, 6, 2), (7, 7, 2), (9, 7, 3)]
    assert counter.look_up(range(QUARTER, QUARTER + 20)) == {each.quarter: each for each in found}
    assert [each.quarter - QUARTER for each in counter.between(QUARTER + 2, QUARTER + 4)] == [2, 3]


def test_each_replacement_is_an_epoch(counter: CounterHistory) -> None:
    starts = [(start.epoch, start.at_s // 900 - QUARTER, start.before, start.after) for start in counter.epochs]
    assert starts == [
        (1, 3, Exact(1002, -1), Exact(3, -1)),
        (2, 5, Exact(90, -1), Exact(5, -1)),
        (3, 9, Exact(7, -1), Exact(7, -1)),
    ]


def test_the_nearest_readings_are_found_across_replacements(counter: CounterHistory) -> None:
    before = [counter.nearest_before(QUARTER + place) for place in range(12)]
    after = [counter.nearest_after(QUARTER + place) for place in range(-1, 11)]
    assert [near and near.quarter - QUARTER for near in before] == [None, 0, 1, 2, 3, 4, 4, 6, 7, 7, 9, 9]
    assert [near and near.quarter - QUARTER for near in after] == [0, 1, 2, 3, 4, 6, 6, 7, 9, 9, None, None]


def test_energy_across_replacements_counts_what_was_measured(counter: CounterHistory) -> None:
    known = list(counter.between(QUARTER, QUARTER + 20))
    assert energy_between(known[0], known[-1], counter.epochs) == Decimal("9.1")
    assert continuous_total(known[-1], counter.epochs) == Decimal("109.1")
    edges = range(QUARTER, QUARTER + 10)
    found = energy_in_buckets(edges, counter.look_up, counter.nearest_before, counter.nearest_after, counter.epochs)
    buckets = sum(bucket.energy_wh or 0 for bucket in found.buckets)
    assert buckets + sum(gap.energy_wh for gap in found.gaps) == found.total_wh == Decimal("9.1")


def test_a_meter_alone_is_as_it_is(sqlite: Store) -> None:
    sqlite.write([quarter_reading(), replace(quarter_reading(QUARTER + 1), epoch=3)], [METER])
    counter = CounterHistory(sqlite, [METER_ID], IMPORT)
    assert list(counter.between(0, 2**31 - 1)) == [quarter_reading(), replace(quarter_reading(QUARTER + 1), epoch=3)]
    assert (counter.epochs, counter.nearest_before(QUARTER), counter.nearest_after(QUARTER + 1)) == ([], None, None)


@pytest.mark.parametrize("line", [[METER_ID], LINE])
def test_a_counter_that_no_meter_has_is_empty(sqlite: Store, line: list[str]) -> None:
    sqlite.write([quarter_reading()], [METER])
    counter = CounterHistory(sqlite, line, EXPORT)
    assert (counter.look_up([QUARTER]), counter.nearest_before(QUARTER), counter.nearest_after(0)) == ({}, None, None)
    assert list(counter.between(0, QUARTER + 9)) == []


def test_a_meter_that_was_first_read_after_its_successor_counts_nothing(sqlite: Store) -> None:
    """Its successor took over from the meter before it; no quarter has two readings."""
    sqlite.write([quarter_reading(QUARTER + place, raw=1000 + place, meter=OTHER) for place in range(6)], [OTHER])
    sqlite.write([quarter_reading(QUARTER + place, raw=place) for place in (5, 6)], [METER])
    sqlite.write([quarter_reading(QUARTER + place, raw=10 * place, meter=THIRD) for place in range(3, 8)], [THIRD])
    found = list(CounterHistory(sqlite, LINE, IMPORT).between(QUARTER, QUARTER + 20))
    assert [each.value.raw for each in found] == [1000, 1001, 1002, 30, 40, 50, 60, 70]


def test_a_successor_that_began_earlier_stands_alone(sqlite: Store) -> None:
    started = EpochStart(OTHER.meter_id, IMPORT, 1, QUARTER * 900, None, Exact(0, -1))
    sqlite.write([replace(quarter_reading(QUARTER + 5, meter=OTHER), epoch=1), started], [OTHER])
    sqlite.write([quarter_reading(QUARTER), quarter_reading(QUARTER + 9)], [METER])
    counter = CounterHistory(sqlite, [OTHER.meter_id, METER_ID], IMPORT)
    assert [each.quarter - QUARTER for each in counter.between(QUARTER, QUARTER + 20)] == [0, 9]
    assert counter.epochs == []


def test_the_chain_of_a_meter_has_all_that_it_replaced() -> None:
    def replaced(info: MeterInfo, by: str) -> MeterInfo:
        return replace(info, replaced_by=by)

    known = [replaced(OTHER, METER_ID), SIMULATED, replaced(METER, THIRD.meter_id), THIRD]
    assert ordered_chain(THIRD.meter_id, known) == LINE
    assert ordered_chain(OTHER.meter_id, known) == [OTHER.meter_id]
    assert ordered_chain("nobody", known) == ["nobody"]


def test_a_circle_of_replacements_ends() -> None:
    known = [replace(OTHER, replaced_by=METER_ID), replace(METER, replaced_by=OTHER.meter_id)]
    assert ordered_chain(METER_ID, known) == [OTHER.meter_id, METER_ID]


@pytest.mark.parametrize("length", [1, 4, 20])
def test_the_energy_of_quarters_across_replacements_in_pieces(counter: CounterHistory, length: int) -> None:
    columns = list(filter(None, counter.energy_columns(range(QUARTER - 2, QUARTER + 19, length))))
    energies = {
        column.first + place - QUARTER: raw for column in columns for place, raw in enumerate(column.raws) if raw
    }
    gaps = [(gap.begin - QUARTER, gap.end - QUARTER, gap.raw) for column in columns for gap in column.gaps]
    # the counter restarted between the fifth and the seventh reading, after 86 more than the reading before
    assert energies == {0: 1, 1: 1, 3: 1, 6: 1}
    assert gaps == [(4, 6, 87), (7, 9, 0)]
