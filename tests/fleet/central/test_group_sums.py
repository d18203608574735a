"""Sums over groups equal the true energy of simulated houses, to the last Wh."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import astuple, replace

from fleet.central.simulated_house import BERLIN, EDGES, FIRST, LAST, TENANTS, Flat, expected, house, write
from fleet.sums import count_statements, group_energy
from history.entries import METER
from iskra_server.fleet.central import edge_sums, group_sums
from iskra_server.fleet.central.group_sums import GroupSum
from iskra_server.fleet.central.label_periods import Group, LabelPeriod, group_meters
from iskra_server.fleet.central.queries import set_labels
from iskra_server.fleet.central.rollup_refresh import refresh
from iskra_server.fleet.central.rollups import read_roll
from iskra_server.history.model.energy import energy_in_buckets
from iskra_server.history.model.records import EpochStart, Exact, MeterInfo, QuarterReading, Record
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import EXPORT, IMPORT

NEVER = 2**31 - 1
HOURS = range(FIRST, FIRST + 97, 4)
ODD = [FIRST + 1, FIRST + 50, FIRST + 51, LAST - 7]


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    yield store
    store.close()


def told(bucket: GroupSum) -> tuple[object, ...]:
    return (bucket.energy, *astuple(bucket.completeness))


MANY = [pytest.param(seed, marks=() if seed < 2 else pytest.mark.slow) for seed in range(40)]


@pytest.mark.parametrize("seed", MANY)
def test_sums_equal_the_true_energy(sqlite: Store, seed: int) -> None:
    flats = house(seed)
    write(sqlite, flats)
    for tenant in (None, *TENANTS):
        group = Group("tenant", tenant) if tenant else Group("building", "7")
        for edges in (EDGES, HOURS, ODD):
            answer = group_energy(sqlite, group, IMPORT, edges, until=NEVER)
            for bucket in answer.buckets:
                assert told(bucket) == astuple(expected(flats, tenant, bucket.begin, bucket.end)), (tenant, bucket)
            whole = expected(flats, tenant, edges[0], edges[-1])
            assert (answer.completeness.meters, answer.completeness.quarters) == (whole.meters, whole.quarters)


@pytest.mark.parametrize("seed", [MANY[0], *MANY[2:]])
def test_sums_of_roll_ups_equal_the_true_energy(sqlite: Store, seed: int) -> None:
    """Before the first one, with some of them, with all, and with quarters that came later."""
    flats = house(seed, flats=4)
    write(sqlite, flats, before=EDGES[3])
    has_more, steps = True, 0
    while has_more:
        has_more = refresh(sqlite, (LAST + 200) * 900, BERLIN)
        steps += 1
        if steps in (1, 2) or not has_more:
            check_days(sqlite, flats, EDGES[3])
    assert read_roll(sqlite) is not None
    write(sqlite, flats)
    check_days(sqlite, flats, NEVER)
    while refresh(sqlite, (LAST + 200) * 900, BERLIN):
        pass
    check_days(sqlite, flats, NEVER)


def check_days(store: Store, flats: list[Flat], before: int) -> None:
    known = [flat.until(before) for flat in flats]
    for tenant in (None, *TENANTS):
        group = Group("tenant", tenant) if tenant else Group("building", "7")
        for bucket in group_energy(store, group, IMPORT, EDGES, until=NEVER).buckets:
            assert told(bucket) == astuple(expected(known, tenant, bucket.begin, bucket.end)), (tenant, bucket)


@pytest.mark.parametrize("seed", [100])
def test_both_databases_say_the_same(store: Store, seed: int) -> None:
    flats = house(seed)
    write(store, flats)
    for tenant in TENANTS:
        for bucket in group_energy(store, Group("tenant", tenant), IMPORT, EDGES, until=NEVER).buckets:
            assert told(bucket) == astuple(expected(flats, tenant, bucket.begin, bucket.end))


@pytest.mark.parametrize("seed", [0, 4])
def test_a_sum_is_that_of_the_answers_of_single_meters(sqlite: Store, seed: int) -> None:
    write(sqlite, house(seed))
    group = Group("building", "7")
    energies = []
    for member in group_meters(sqlite, group, FIRST, LAST):
        counter = CounterHistory(sqlite, member.chain, IMPORT)
        energies.append(
            energy_in_buckets(EDGES, counter.look_up, counter.nearest_before, counter.nearest_after, counter.epochs)
        )
    sums = group_energy(sqlite, group, IMPORT, EDGES, until=NEVER).buckets
    for place, bucket in enumerate(sums):
        single = [energy.buckets[place].energy_wh for energy in energies]
        assert bucket.energy == sum(energy for energy in single if energy is not None)


def meter(place: int) -> MeterInfo:
    return replace(METER, meter_id=f"1 ISK 00 {place:08}")


def readings(info: MeterInfo, values: dict[int, int], epochs: dict[int, int] | None = None) -> list[Record]:
    """`values` in 0.1 Wh by the quarters after FIRST; `epochs` where they begin, with the readings before them."""
    rows: list[Record] = []
    epoch = 0
    for place, raw in values.items():
        epoch = (epochs or {}).get(place, epoch)
        rows.append(QuarterReading(info.meter_id, IMPORT, FIRST + place, Exact(raw, -1), "measured", epoch))
    return rows


def test_complete_meters_are_summed_by_the_database(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in range(1, 4):
        rows = readings(meter(place), {quarter: 25 * place * quarter for quarter in range(9)})
        sqlite.write(rows, [meter(place)])
        set_labels(sqlite, {meter(place).meter_id: {"building": "7"}})

    forbid_single_counters(monkeypatch)
    answer = group_energy(sqlite, Group("building", "7"), IMPORT, [FIRST, FIRST + 4, FIRST + 8], until=NEVER)
    assert [bucket.energy for bucket in answer.buckets] == [Decimal("60.0"), Decimal("60.0")]
    assert astuple(answer.completeness) == (3, 3, 24, 24, 0)
    assert (
        group_energy(sqlite, Group("building", "7"), EXPORT, [FIRST, FIRST + 4], until=NEVER).buckets[0].energy is None
    )


def forbid_single_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_alone(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(edge_sums, "epoch_orders", read_alone)
    monkeypatch.setattr(group_sums, "CounterHistory", read_alone)


def test_meters_that_come_at_the_same_time_are_summed_by_the_database(
    sqlite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of six meters with 0.1 Wh a quarter-hour times their place, four come after six quarters, two go then."""
    for place in range(1, 7):
        rows = readings(meter(place), {quarter: place * quarter for quarter in range(13)})
        sqlite.write(rows, [meter(place)])
        old, new = ("Meyer", "Neu") if place > 2 else ("Neu", "Meyer")
        periods = [LabelPeriod(old, 0, FIRST + 6), LabelPeriod(new, FIRST + 6)]
        set_labels(sqlite, {meter(place).meter_id: {"tenant": periods}})
    forbid_single_counters(monkeypatch)
    edges = [FIRST, FIRST + 4, FIRST + 8, FIRST + 12]
    answer = group_energy(sqlite, Group("tenant", "Neu"), IMPORT, edges, until=NEVER)
    assert [told(bucket) for bucket in answer.buckets] == [
        (Decimal("1.2"), 2, 2, 8, 8, 0),
        (Decimal("4.2"), 6, 6, 12, 12, 0),
        (Decimal("7.2"), 4, 4, 16, 16, 0),
    ]


@pytest.mark.parametrize("kind", ["without an edge", "restarted", "replaced before"])
def test_counters_that_need_more_than_sums_are_read_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """As many statements for eight of them as for one: on Citus, 300 counters took 48 s one by one."""
    edges = [FIRST + 4, FIRST + 8, FIRST + 12]
    for building, places in ("one", range(1, 2)), ("eight", range(2, 10)):
        for place in places:
            write_special(store, place, kind, building)
    asked = count_statements(monkeypatch)
    one = group_energy(store, Group("building", "one"), IMPORT, edges, until=NEVER)
    count = len(asked)
    eight = group_energy(store, Group("building", "eight"), IMPORT, edges, until=NEVER)
    assert len(asked) == 2 * count
    quarters, complete = (3, 0) if kind == "without an edge" else (4, 1)
    energies = [sum(place * quarters for place in places) * Decimal("0.1") for places in ([1], range(2, 10))]
    assert told(one.buckets[0]) == (energies[0], 1, complete, 4, quarters, 0)
    assert told(eight.buckets[0]) == (energies[1], 8, 8 * complete, 32, 8 * quarters, 0)


def write_special(store: Store, place: int, kind: str, building: str) -> None:
    """A counter that counts `place` x 0.1 Wh in each quarter."""
    info, old = meter(place), meter(place + 50)
    values = {quarter: 1000 + place * quarter for quarter in range(13) if kind != "without an edge" or quarter != 8}
    rows = readings(info, values)
    if kind == "restarted":
        before, after = Exact(1000 + 5 * place, -1), Exact(0, -1)
        rows = readings(info, values | {quarter: place * (quarter - 5) for quarter in range(6, 13)}, {6: 7})
        rows.append(EpochStart(info.meter_id, IMPORT, 7, (FIRST + 5) * 900 + 60, before, after))
    store.write(rows, [info])
    if kind == "replaced before":
        store.write(readings(old, {quarter: 9 * quarter for quarter in range(-5, 3)}), [old])
        store.replace_meter(old.meter_id, info.meter_id)
    set_labels(store, {info.meter_id: {"building": building}})


def test_epochs_are_compared_meter_by_meter(sqlite: Store) -> None:
    """One meter goes from epoch 0 to 1, one from 1 to 0: each edge has as many meters of each."""
    one, other = meter(1), meter(2)
    starts = [
        EpochStart(info.meter_id, IMPORT, number, (FIRST + 2) * 900 + 60, Exact(120, -1), Exact(0, -1))
        for info, number in ((one, 1), (other, 7))
    ]
    values = {0: 100, 1: 110, 2: 120, 3: 5, 4: 15}
    rows = [*readings(one, values, {3: 1}), *readings(other, values, {0: 1, 3: 0})]
    sqlite.write([*rows, *starts], [one, other])
    set_labels(sqlite, {info.meter_id: {"building": "7"} for info in (one, other)})
    (bucket,) = group_energy(sqlite, Group("building", "7"), IMPORT, [FIRST, FIRST + 4], until=NEVER).buckets
    assert told(bucket) == (Decimal("7.0"), 2, 2, 8, 8, 0)


def test_a_replaced_meter_and_a_missing_midnight_do_not_drop_a_flat(sqlite: Store) -> None:
    """Three flats with 4 Wh a quarter-hour: one lacks a midnight, the meter of another is replaced at noon."""
    every = range(96 * 7 + 1)
    infos = [meter(place) for place in range(1, 5)]
    noon = 96 * 3 + 48
    values = [
        {quarter: 40 * quarter for quarter in every},
        {quarter: 40 * quarter for quarter in every if quarter != 96 * 4},
        {quarter: 40 * quarter for quarter in every if quarter <= noon},
        {quarter: 40 * (quarter - noon) for quarter in every if quarter > noon},
    ]
    for info, rows in zip(infos, values, strict=True):
        sqlite.write(readings(info, rows), [replace(info, first_s=(FIRST + min(rows)) * 900)])
        set_labels(sqlite, {info.meter_id: {"building": "7"}})
    sqlite.replace_meter(infos[2].meter_id, infos[3].meter_id)
    edges = [FIRST + 96 * day for day in range(8)]
    days = group_energy(sqlite, Group("building", "7"), IMPORT, edges, until=NEVER).buckets
    # nobody measured the quarter-hour between the last reading of the old meter and the first of the new one
    assert [day.energy for day in days] == [1152, 1152, 1152, 1144, 1148, 1152, 1152]
    assert [day.completeness.complete for day in days] == [3, 3, 3, 2, 2, 3, 3]
    week = group_energy(sqlite, Group("building", "7"), IMPORT, [edges[0], edges[-1]], until=NEVER)
    assert (week.buckets[0].energy, week.completeness.complete) == (Decimal(1152 * 7 - 4), 3)


def test_what_has_not_passed_yet_is_not_expected(sqlite: Store) -> None:
    info = meter(1)
    sqlite.write(readings(info, {quarter: 10 * quarter for quarter in range(7)}), [info])
    set_labels(sqlite, {info.meter_id: {"building": "7"}})
    edges = [FIRST, FIRST + 4, FIRST + 8, FIRST + 12]
    answer = group_energy(sqlite, Group("building", "7"), IMPORT, edges, until=FIRST + 6)
    assert [told(bucket) for bucket in answer.buckets] == [
        (Decimal("4.0"), 1, 1, 4, 4, 0),
        (Decimal("2.0"), 1, 1, 2, 2, 0),
        (None, 0, 0, 0, 0, 0),
    ]
    assert (answer.buckets[1].end, answer.completeness.quarters) == (FIRST + 8, 6)
    assert group_energy(sqlite, Group("building", "7"), IMPORT, edges, until=FIRST - 1).completeness.meters == 0


def test_too_many_quarters_are_not_counted(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    info = meter(1)
    sqlite.write(readings(info, {quarter: 10 * quarter for quarter in range(7)}), [info])
    set_labels(sqlite, {info.meter_id: {"building": "7"}})
    monkeypatch.setattr(edge_sums, "MAX_COUNTED", 3)
    (bucket,) = group_energy(sqlite, Group("building", "7"), IMPORT, [FIRST, FIRST + 4], until=NEVER).buckets
    assert told(bucket) == (Decimal("4.0"), 1, 1, 4, None, None)
