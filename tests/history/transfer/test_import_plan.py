from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from history.entries import METER, QUARTER, quarter_reading
from iskra_server.history.model.energy import energy_in_buckets
from iskra_server.history.model.records import EpochStart, Exact, MeterInfo, QuarterReading
from iskra_server.history.store.store import Store
from iskra_server.history.transfer import import_plan as module
from iskra_server.history.transfer.file_rows import BadRow, RecordRow
from iskra_server.history.transfer.import_plan import SHOWN, STEP, ImportPlan, carry_out, plan_import
from samples import EXPORT, IMPORT, METER_ID

NOW_S = (QUARTER + 10_000) * 900.0


def start(epoch: int, quarter: int, before: int = 100, after: int = 0) -> EpochStart:
    return EpochStart(METER_ID, IMPORT, epoch, quarter * 900 + 450, Exact(before, -1), Exact(after, -1))


def planned(store: Store, *records: QuarterReading | EpochStart, own_epochs: bool = True) -> ImportPlan:
    rows = [RecordRow(line, record) for line, record in enumerate(records, 1)]
    return plan_import(store, METER_ID, rows, own_epochs=own_epochs, now_s=NOW_S)


def at(quarter: int, raw: int, epoch: int = 0) -> QuarterReading:
    return replace(quarter_reading(QUARTER + quarter, raw), epoch=epoch)


def test_new_boundaries_are_planned_in_order_of_time(store: Store) -> None:
    store.write([], [METER])
    found = planned(store, at(1, 20), at(0, 10), quarter_reading(QUARTER, 5, EXPORT))
    assert found == ImportPlan((at(0, 10), at(1, 20), quarter_reading(QUARTER, 5, EXPORT)), 0, 0, (), 0)


def test_what_history_has_stays_as_it_is(store: Store) -> None:
    store.write([at(0, 10), at(2, 30)], [METER])
    same = replace(at(0, 1), value=Exact(100, -2), quality="interpolated")
    assert planned(store, same, at(1, 20), at(2, 31)) == ImportPlan((at(1, 20),), 1, 1, (), 0)


@pytest.mark.parametrize("raw", [10, 30])
def test_a_counter_may_stand_still(raw: int, store: Store) -> None:
    store.write([at(0, 10), at(2, 30)], [METER])
    assert planned(store, at(1, raw)).records == (at(1, raw),)


def test_an_epoch_that_begins_on_a_boundary_holds_it(store: Store) -> None:
    store.write([replace(start(1, QUARTER), at_s=QUARTER * 900)], [METER])
    assert planned(store, at(0, 5), own_epochs=False).records == (at(0, 5, 1),)


@pytest.mark.parametrize(
    ("quarter", "raw", "reason"),
    [
        (1, 9, "0.9 Wh is less than 1.0 Wh before it"),
        (1, 31, "3.1 Wh is more than 3.0 Wh after it"),
        (-1, 11, "1.1 Wh is more than 1.0 Wh after it"),
        (3, 29, "2.9 Wh is less than 3.0 Wh before it"),
    ],
)
def test_a_value_that_does_not_fit_between_its_neighbours_is_wrong(
    quarter: int, raw: int, reason: str, store: Store
) -> None:
    store.write([at(0, 10), at(2, 30)], [METER])
    assert planned(store, at(quarter, raw)) == ImportPlan((), 0, 0, (BadRow(1, reason),), 1)


def test_neighbours_in_the_file_count_as_well(store: Store) -> None:
    store.write([], [METER])
    found = planned(store, at(0, 10), at(1, 9), at(1, 9), at(2, 10), at(2, 10), at(2, 11))
    assert found.records == (at(0, 10), at(2, 10))
    assert (found.already, found.bad_count) == (1, 3)
    assert found.bad[-1] == BadRow(6, "the file has another value for the same time")


def test_neighbours_count_where_one_comparison_ends(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 2)
    sqlite.write([at(9, 90)], [METER])
    found = planned(sqlite, *(at(number, 10 * number) for number in range(8)), at(8, 69), at(8, 91))
    assert len(found.records) == 8
    assert [bad.reason for bad in found.bad] == [
        "6.9 Wh is less than 7.0 Wh before it",
        "9.1 Wh is more than 9.0 Wh after it",
    ]


def test_readings_get_the_epoch_of_their_time(store: Store) -> None:
    store.write([at(0, 1000), start(1, QUARTER + 1, 1000), at(3, 30, 1)], [METER])
    found = planned(store, at(1, 1000), at(2, 10), at(4, 40), own_epochs=False)
    assert found.records == (at(1, 1000), at(2, 10, 1), at(4, 40, 1))


def test_epochs_of_the_file_come_with_its_boundaries(store: Store) -> None:
    store.write([], [METER])
    records = (at(0, 90), start(1, QUARTER), at(1, 5, 1))
    assert set(planned(store, *records).records) == set(records)
    store.write(records)
    assert planned(store, *records) == ImportPlan((), 3, 0, (), 0)
    assert planned(store, start(1, QUARTER, 101)) == ImportPlan((), 0, 1, (), 0)


def test_an_epoch_whose_beginning_is_unknown_is_wrong(store: Store) -> None:
    store.write([], [METER])
    assert planned(store, at(0, 5, 1)).bad == (BadRow(1, "nothing says where epoch 1 begins"),)


@pytest.mark.parametrize(("epoch", "quarter"), [(1, -5), (2, -5), (1, 5), (3, 0)])
def test_an_epoch_that_history_counts_otherwise_is_wrong(epoch: int, quarter: int, store: Store) -> None:
    known: list[QuarterReading | EpochStart] = [at(0, 10), start(2, QUARTER + 1), at(2, 20, 2), at(8, 30, 2)]
    store.write(known if epoch != 2 else known[:1], [METER])
    (bad,) = planned(store, start(epoch, QUARTER + quarter)).bad
    assert bad.reason == f"history numbers its epochs differently: epoch {epoch} cannot begin there"


def test_an_epoch_before_the_first_one_of_history_fits(store: Store) -> None:
    store.write([start(2, QUARTER + 5), at(6, 20, 2)], [METER])
    records = (at(0, 90), start(1, QUARTER), at(1, 5, 1))
    assert planned(store, *records).bad_count == 0


def test_what_lies_in_the_future_is_wrong(store: Store) -> None:
    store.write([], [METER])
    found = planned(store, at(10_000, 5), at(10_001, 6), start(1, QUARTER + 10_000))
    assert found == ImportPlan(
        (at(10_000, 5),), 0, 0, (BadRow(2, "it lies in the future"), BadRow(3, "it lies in the future")), 2
    )


def test_the_first_lines_that_are_wrong_are_shown_and_all_are_counted(store: Store) -> None:
    store.write([], [METER])
    rows: Iterable[BadRow] = (BadRow(line, "it is torn") for line in range(100, 0, -1))
    found = plan_import(store, METER_ID, rows, own_epochs=True, now_s=NOW_S)
    assert found.bad_count == 100
    assert [bad.line for bad in found.bad] == list(range(101 - SHOWN, 101))


def test_imported_epochs_add_up(store: Store) -> None:
    store.write([], [METER])
    found = planned(store, at(0, 90), start(1, QUARTER, before=100, after=3), at(1, 5, 1))
    store.write(found.records)
    sums = energy_in_buckets(
        (QUARTER, QUARTER + 1),
        lambda edges: store.quarter_readings(METER_ID, IMPORT, edges),
        lambda _: None,
        lambda _: None,
        store.epochs(METER_ID, IMPORT),
    )
    assert str(sums.total_wh) == "1.2"


def test_a_plan_is_written_in_steps_that_can_be_repeated(store: Store) -> None:
    records = tuple(quarter_reading(QUARTER + number, number) for number in range(STEP + 1))
    start = EpochStart(METER_ID, IMPORT, 1, (QUARTER + STEP) * 900 + 450, None, Exact(0, 0))
    steps: list[tuple[int, list[EpochStart]]] = []
    for _ in range(2):
        plan = ImportPlan((*records, start), 0, 0, (), 0)
        carry_out(store, plan, METER, lambda count: steps.append((count, store.epochs(METER_ID, IMPORT))))
    # an epoch before the boundaries that it explains
    assert steps == [(STEP, [start]), (2, [start])] * 2
    assert tuple(store.quarter_readings_between(METER_ID, IMPORT, QUARTER, QUARTER + STEP + 1)) == records
    assert store.epochs(METER_ID, IMPORT) == [start]


def test_the_meter_was_seen_when_the_records_say(store: Store) -> None:
    store.write([], [METER])
    carry_out(
        store,
        ImportPlan((quarter_reading(QUARTER - 10, 1), quarter_reading(QUARTER + 10, 2)), 0, 0, (), 0),
        METER,
        lambda _: None,
    )
    (meter,) = store.meters()
    expected = ((QUARTER - 10) * 900, (QUARTER + 10) * 900)
    assert (meter.first_s, meter.last_s) == expected


def test_a_new_meter_is_made(store: Store) -> None:
    carry_out(
        store, ImportPlan((quarter_reading(),), 0, 0, (), 0), MeterInfo(METER_ID, "", False, 0, 0), lambda _: None
    )
    assert [(meter.meter_id, meter.first_s) for meter in store.meters()] == [(METER_ID, QUARTER * 900)]


def test_nothing_to_write_is_nothing_written(store: Store) -> None:
    carry_out(store, ImportPlan((), 5, 0, (), 0), METER, lambda _: None)
    assert store.meters() == []
