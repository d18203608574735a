"""Which days and months a reading marks; fleet/central/test_rollup_refresh.py orders writers and refreshers."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, select

from history.entries import METER, OTHER, quarter_reading
from iskra_server.history.model.periods import first_quarter
from iskra_server.history.store.rollup_marks import QuarterSpan, mark_meters, spans_at
from iskra_server.history.store.schema import rollup_due, rollup_state
from iskra_server.history.store.store import Store

BERLIN = ZoneInfo("Europe/Berlin")


def midnight(*day: int) -> int:
    return first_quarter(date(*day), BERLIN)


NOVEMBER, DECEMBER = midnight(2026, 11, 1), midnight(2026, 12, 1)
SECOND, THIRD, FOURTH = (midnight(2026, 11, day) for day in (2, 3, 4))


def marks(store: Store) -> list[tuple[int, QuarterSpan]]:
    with store.transaction(write=False) as connection:
        rows = connection.execute(select(rollup_due))
        return sorted((row.meter, QuarterSpan(row.begin_quarter, row.end_quarter)) for row in rows)


def begin(store: Store, since: int) -> None:
    with store.transaction() as connection:
        values = {"zone": "Europe/Berlin", "since_quarter": since, "open_quarter": THIRD}
        connection.execute(insert(rollup_state), values)


def test_a_day_has_as_many_quarters_as_its_clock_shows() -> None:
    day = QuarterSpan(midnight(2026, 10, 25), midnight(2026, 10, 26))
    assert day in spans_at(day.begin + 50, BERLIN)
    assert day.end - day.begin == 100
    # the reading at midnight closes a day and begins the next, here months too
    lengths = sorted(span.end - span.begin for span in spans_at(NOVEMBER, BERLIN))
    assert lengths == [96, 96, 30 * 96, 31 * 96 + 4]


def test_nothing_is_marked_where_there_are_no_roll_ups(store: Store) -> None:
    store.write([quarter_reading(SECOND)], [METER])
    assert marks(store) == []


def test_each_day_is_marked_once(store: Store) -> None:
    begin(store, NOVEMBER)
    for _ in range(2):
        store.write([quarter_reading(quarter) for quarter in range(SECOND + 5, THIRD)], [METER])
    # from before there were roll-ups, and of a clock that is wrong by millennia
    store.write([quarter_reading(NOVEMBER - 200), quarter_reading(100_000_000)], [METER])
    assert marks(store) == [(1, QuarterSpan(NOVEMBER, DECEMBER)), (1, QuarterSpan(SECOND, THIRD))]


@pytest.mark.parametrize("is_replaced", [True, False])
def test_the_meters_of_a_chain_are_marked_together(store: Store, is_replaced: bool) -> None:
    store.write([quarter_reading(NOVEMBER), quarter_reading(THIRD, meter=OTHER)], [METER, OTHER])
    if is_replaced:
        store.replace_meter(METER.meter_id, OTHER.meter_id)
    begin(store, NOVEMBER)
    store.write([quarter_reading(SECOND + 5, meter=OTHER)], [OTHER])
    # where it is the first reading of the successor, the predecessor ends that day, and not on the third
    spans = [QuarterSpan(NOVEMBER, DECEMBER), QuarterSpan(SECOND, THIRD)]
    chain = [*spans, QuarterSpan(THIRD, FOURTH)]
    expected = [(number, span) for number in (1, 2) for span in chain] if is_replaced else [(2, span) for span in spans]
    assert marks(store) == sorted(expected)


def test_a_replacement_marks_what_its_meters_have_measured(store: Store) -> None:
    begin(store, NOVEMBER)
    store.write([quarter_reading(SECOND + 5), quarter_reading(THIRD + 5, meter=OTHER)], [METER, OTHER])
    with store.transaction() as connection:
        connection.execute(rollup_due.delete())
    store.replace_meter(METER.meter_id, OTHER.meter_id)
    found = marks(store)
    assert {number for number, _ in found} == {1, 2}
    assert QuarterSpan(SECOND, THIRD) in {span for _, span in found}


@pytest.mark.parametrize("new", ["1 ISK 00 00000077", None])
def test_a_replacement_that_is_corrected_marks_the_meter_that_was_named_before(store: Store, new: str | None) -> None:
    begin(store, NOVEMBER)
    third = replace(OTHER, meter_id="1 ISK 00 00000077")
    store.write([quarter_reading(SECOND + 5), quarter_reading(THIRD + 5, meter=OTHER)], [METER, OTHER, third])
    store.replace_meter(METER.meter_id, OTHER.meter_id)
    names = [METER.meter_id, OTHER.meter_id, *([new] if new else [])]
    with store.transaction() as connection:
        connection.execute(rollup_due.delete())
        numbers = store.meter_row_ids(connection, names).values()
    store.replace_meter(METER.meter_id, new)
    # the days of the meter that it leaves held the energy of both
    assert {number for number, _ in marks(store)} == set(numbers)


def test_a_period_of_some_meters(store: Store) -> None:
    begin(store, NOVEMBER)
    store.write([quarter_reading(NOVEMBER - 5)], [METER])
    with store.transaction() as connection:
        mark_meters(connection, store.insert, [1], SECOND + 1, THIRD + 1)
    assert [span for _, span in marks(store)] == [
        QuarterSpan(NOVEMBER, DECEMBER),
        QuarterSpan(SECOND, THIRD),
        QuarterSpan(THIRD, FOURTH),
    ]
