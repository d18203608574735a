from history.entries import METER, QUARTER, quarter_reading
from iskra_server.history.model.records import EpochStart, Exact, MeterInfo
from iskra_server.history.store.store import Store
from iskra_server.history.transfer.load import STEP, load
from iskra_server.history.transfer.plan import Plan
from samples import IMPORT, METER_ID


def test_a_plan_is_written_in_steps_that_can_be_repeated(store: Store) -> None:
    records = tuple(quarter_reading(QUARTER + number, number) for number in range(STEP + 1))
    start = EpochStart(METER_ID, IMPORT, 1, (QUARTER + STEP) * 900 + 450, None, Exact(0, 0))
    steps: list[tuple[int, list[EpochStart]]] = []
    for _ in range(2):
        plan = Plan((*records, start), 0, 0, (), 0)
        load(store, plan, METER, lambda count: steps.append((count, store.epochs(METER_ID, IMPORT))))
    # an epoch before the boundaries that it explains
    assert steps == [(STEP, [start]), (2, [start])] * 2
    assert tuple(store.quarter_readings_between(METER_ID, IMPORT, QUARTER, QUARTER + STEP + 1)) == records
    assert store.epochs(METER_ID, IMPORT) == [start]


def test_the_meter_was_seen_when_the_records_say(store: Store) -> None:
    store.write([], [METER])
    load(
        store,
        Plan((quarter_reading(QUARTER - 10, 1), quarter_reading(QUARTER + 10, 2)), 0, 0, (), 0),
        METER,
        lambda _: None,
    )
    (meter,) = store.meters()
    expected = ((QUARTER - 10) * 900, (QUARTER + 10) * 900)
    assert (meter.first_s, meter.last_s) == expected


def test_a_new_meter_is_made(store: Store) -> None:
    load(store, Plan((quarter_reading(),), 0, 0, (), 0), MeterInfo(METER_ID, "", False, 0, 0), lambda _: None)
    assert [(meter.meter_id, meter.first_s) for meter in store.meters()] == [(METER_ID, QUARTER * 900)]


def test_nothing_to_write_is_nothing_written(store: Store) -> None:
    load(store, Plan((), 5, 0, (), 0), METER, lambda _: None)
    assert store.meters() == []
