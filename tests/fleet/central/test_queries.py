"""Questions about many meters, on both databases."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import func, insert, select, text

from fleet.batches import batch_of
from history.entries import METER, QUARTER, quarter_reading
from history.postgres import Postgres
from iskra_server.fleet.central import queries as fleet
from iskra_server.fleet.central import reader_state
from iskra_server.fleet.central.label_periods import Group, LabelPeriod
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import LastContact, write_batch
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.schema import label, meter
from iskra_server.history.store.store import Store
from running import DEADLINE_S, until
from samples import EXPORT

HOUSE = Group("building", "7")
# a whole hour
START = QUARTER // 4 * 4


def named(place: int) -> MeterInfo:
    return replace(METER, meter_id=f"1 ISK 00 {place:08}")


@pytest.fixture
def house(store: Store) -> Store:
    """Five meters, three of them in building 7. Each counts 10 Wh x its place in an hour, the third only later."""
    for place in range(1, 6):
        known = range(START, START + 13) if place != 3 else range(START + 4, START + 13)
        rows = [quarter_reading(quarter, 25 * place * (quarter - START), meter=named(place)) for quarter in known]
        write_batch(
            store,
            batch_of(
                [*rows], [named(place)], [LastContact(named(place).meter_id, "cellar", 900 * (100 - place), place)]
            ),
        )
    labels = {
        named(place).meter_id: {"building": "7" if place < 4 else "8", "tenant": f"T{place}"} for place in range(1, 6)
    }
    assert fleet.set_labels(store, labels | {"1 ISK 00 99999999": {"building": "7"}}) == ["1 ISK 00 99999999"]
    return store


def test_the_oldest_contact_comes_first_page_by_page(house: Store) -> None:
    first, place = fleet.meters(house, now=START, limit=2)
    assert [each.meter_id[-1] for each in first] == ["5", "4"]
    assert (first[0].reader, first[0].power_mw, first[0].labels) == ("cellar", 5, {"building": "8", "tenant": "T5"})
    second, place = fleet.meters(house, now=START, limit=2, after=place)
    third, end = fleet.meters(house, now=START, limit=2, after=place)
    assert [each.meter_id[-1] for each in second + third] == ["3", "2", "1"]
    assert end is None


def test_a_meter_is_found_by_its_group_and_by_its_number(house: Store) -> None:
    assert [each.meter_id[-1] for each in fleet.meters(house, now=START, limit=9, group=HOUSE)[0]] == ["3", "2", "1"]
    assert [each.meter_id[-1] for each in fleet.meters(house, now=START, limit=9, find="1ISK0000000004")[0]] == ["4"]
    assert [each.meter_id[-1] for each in fleet.meters(house, now=START, limit=9, find="1isk0000000004")[0]] == ["4"]
    assert fleet.meters(house, now=START, limit=9, find="%")[0] == []


def test_groups_and_how_many_meters_they_have(house: Store) -> None:
    sizes = [(size.value, size.meters) for size in fleet.groups(house, "building", limit=9, now=START)]
    assert sizes == [("7", 3), ("8", 2)]
    tenants = fleet.groups(house, "tenant", limit=2, after="T1", now=START)
    assert [(size.value, size.meters) for size in tenants] == [("T2", 1), ("T3", 1)]


def test_groups_are_found_by_a_part_of_their_name(house: Store) -> None:
    def found(text: str, after: str = "") -> list[str]:
        return [size.value for size in fleet.groups(house, "tenant", limit=9, now=START, find=text, after=after)]

    assert found("t3") == ["T3"]
    assert found("T", after="T3") == ["T4", "T5"]
    # no pattern
    assert found("%") == found("_") == []


def test_a_replaced_meter_is_found_by_its_number_only(house: Store) -> None:
    house.replace_meter(named(2).meter_id, named(3).meter_id)
    listed, _ = fleet.meters(house, now=START, limit=9)
    assert [(each.meter_id[-1], each.replaced_by) for each in listed] == [(n, None) for n in "5431"]
    listed, _ = fleet.meters(house, now=START, limit=9, group=HOUSE)
    assert [each.meter_id[-1] for each in listed] == ["3", "1"]
    (old,) = fleet.meters(house, now=START, limit=9, find="00000002")[0]
    assert (old.meter_id, old.replaced_by) == (named(2).meter_id, named(3).meter_id)


def test_a_month_of_a_group_row_by_row(house: Store) -> None:
    rows = list(fleet.quarters(house, HOUSE, START, START + 1))
    assert [(row.meter_id[-1], row.quarter - START, row.value) for row in rows] == [
        ("1", 0, Decimal("0.0")),
        ("1", 1, Decimal("2.5")),
        ("2", 0, Decimal("0.0")),
        ("2", 1, Decimal("5.0")),
    ]


def test_the_rows_of_a_group_after_a_meter_was_replaced(house: Store) -> None:
    """The old meter has none in this time; that of another flat comes after it."""
    rows = [quarter_reading(quarter, 7 * (quarter - START), meter=named(6)) for quarter in range(START + 4, START + 13)]
    house.write([*rows], [replace(named(6), first_s=(START + 4) * 900)])
    house.replace_meter(named(1).meter_id, named(6).meter_id)
    found = [(row.meter_id[-1], row.quarter - START) for row in fleet.quarters(house, HOUSE, START + 8, START + 9)]
    assert sorted(found) == [(place, quarter) for place in "236" for quarter in (8, 9)]
    # before, and over the replacement
    found = [(row.meter_id[-1], row.quarter - START) for row in fleet.quarters(house, HOUSE, START + 2, START + 5)]
    assert [row for row in sorted(found) if row[0] in "16"] == [("1", 2), ("1", 3), ("6", 4), ("6", 5)]


@pytest.mark.parametrize("rows", [1, 2, 5, 13, 14, 26, 1000])
def test_an_export_holds_few_rows_in_memory_and_is_complete(
    house: Store, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    whole = list(fleet.quarters(house, HOUSE, 0, 2**31 - 1))
    assert len(whole) == 13 + 13 + 9
    held: list[int] = []
    ask = house.query

    def counting(statement: Any) -> Any:
        found = ask(statement)
        held.append(len(found))
        return found

    monkeypatch.setattr(fleet, "ROWS", rows)
    monkeypatch.setattr(house, "query", counting)
    for end in (START + 13, 2**31 - 1):
        assert list(fleet.quarters(house, HOUSE, START, end)) == whole
    # the first answer are the counters of the group
    assert max(held) <= max(rows, 3)


def test_labels_can_be_changed_and_removed(house: Store) -> None:
    name = named(1).meter_id
    fleet.set_labels(house, {name: {"building": "8", "tenant": ""}})
    (meter,) = fleet.meters(house, now=START, limit=9, find="00000001")[0]
    assert meter.labels == {"building": "8"}


@pytest.mark.parametrize(("limit", "room"), [(1, 2**22), (3, 2**22), (7, 2**22), (100, 2**22), (7, 1), (100, 5_000)])
def test_pages_of_readers_are_limited_in_bytes(
    house: Store, monkeypatch: pytest.MonkeyPatch, limit: int, room: int
) -> None:
    names = [f"reader {place:02}" for place in range(50)]
    write_batch(house, batch_of(readers=[ReaderState(name, 1, True, "", f'["{"x" * 996}"]') for name in names]))
    monkeypatch.setattr(reader_state, "_PAGE_BYTES", room)
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page, after = reader_state.list_readers(house, limit=limit, after=after)
        assert len(page) <= limit
        assert sum(len(row.status) for row in page[: -reader_state._READERS]) < room
        found += [row.name for row in page]
    assert found == names


def test_a_meter_has_no_two_tenants_at_a_time(house: Store) -> None:
    """Both would pay for the same energy."""
    periods = [LabelPeriod("Neu", START + 4), LabelPeriod("Meyer", 0, START + 5)]
    with pytest.raises(
        ValueError, match=f"the meter {named(1).meter_id} has two of the kind tenant at a time: Meyer, Neu"
    ):
        fleet.set_labels(house, {named(1).meter_id: {"tenant": periods}})
    apart = [LabelPeriod("Neu", START + 5), LabelPeriod("Meyer", 0, START + 5)]
    assert fleet.set_labels(house, {named(1).meter_id: {"tenant": apart}}) == []


@contextmanager
def both_with_a_meter(postgres: Postgres) -> Iterator[tuple[Store, Store]]:
    """Two programs at one database, which has a meter."""
    address = postgres.database()
    with closing(Store(address)) as one, closing(Store(address)) as other:
        contact = LastContact(METER.meter_id, "cellar", 900)
        write_batch(one, batch_of([quarter_reading(START, 1, meter=METER)], [METER], [contact]))
        yield one, other


def test_labels_that_another_import_is_writing_are_replaced_too(postgres: Postgres) -> None:
    with both_with_a_meter(postgres) as (one, other):
        second = Thread(target=fleet.set_labels, args=(other, {METER.meter_id: {"tenant": "Meyer"}}))
        with one.transaction() as connection:
            number = connection.execute(select(meter.c.id).with_for_update()).scalar_one()
            rows = [{"meter": number, "kind": "tenant", "value": "Neu", "from_quarter": START}]
            connection.execute(insert(label), rows)
            second.start()
            waiting = select(func.count()).select_from(text("pg_locks")).where(text("NOT granted"))
            until(lambda: not second.is_alive() or one.query(waiting)[0][0])
        second.join()
        assert [row.value for row in one.query(select(label))] == ["Meyer"]


def test_labels_do_not_wait_for_a_collector_that_adds_a_counter(postgres: Postgres) -> None:
    """Each could wait for a meter of the other: a deadlock."""
    with both_with_a_meter(postgres) as (one, other):
        labels = Thread(target=fleet.set_labels, args=(other, {METER.meter_id: {"tenant": "Meyer"}}))
        with one.transaction() as connection:
            one.series_row_ids(connection, [(METER.meter_id, EXPORT)])
            labels.start()
            labels.join(DEADLINE_S)
            assert not labels.is_alive()
