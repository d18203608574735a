"""Who is in a group, and when; on both databases."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from history.entries import METER
from iskra_server.fleet.central.current_labels import labels_at, members_at
from iskra_server.fleet.central.label_periods import (
    Group,
    LabelPeriod,
    Spans,
    count_labels,
    group_meters,
    group_spans,
    whole_time,
)
from iskra_server.fleet.central.queries import groups, set_labels
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.schema import ALWAYS, label
from iskra_server.history.store.store import Store

BEGIN, END = 1_000_000, 1_001_000
MEYER, NEU = Group("tenant", "Meyer"), Group("tenant", "Neu")
HOUSE = Group("building", "7")
MOVE = BEGIN + 500


def meter(place: int, first: int = BEGIN - 5000) -> MeterInfo:
    return replace(METER, meter_id=f"M{place}", first_s=first * 900, last_s=END * 900)


@pytest.fixture
def house(store: Store) -> Store:
    """M1 Meyer, then Neu; M2 Neu always; M3 Meyer until it was replaced by M4, which has no tenant of its own."""
    store.write([], [meter(1), meter(2), meter(3), meter(4, MOVE)])
    store.replace_meter("M3", "M4")
    periods = [LabelPeriod("Meyer", 0, MOVE), LabelPeriod("Neu", MOVE + 96)]
    tenants: dict[str, str | Sequence[LabelPeriod]] = {"M1": periods, "M2": "Neu", "M3": "Meyer"}
    set_labels(store, {name: {"tenant": tenant, "building": "7"} for name, tenant in tenants.items()})
    return store


def spans(store: Store, group: Group, begin: int = BEGIN, end: int = END, **more: Any) -> dict[str, Spans]:
    return {point.meter_id: list(point.spans) for point in group_meters(store, group, begin, end, **more)}


def now(store: Store, quarter: int, group: Group) -> set[int]:
    return {row[0] for row in store.query(members_at(quarter, group))}


def numbers(store: Store, *names: str) -> set[int]:
    with store.transaction(write=False) as connection:
        return set(store.meter_row_ids(connection, names).values())


def test_a_meter_is_in_a_group_from_one_quarter_until_before_another(house: Store) -> None:
    assert spans(house, MEYER) == {"M1": [(BEGIN, MOVE)], "M4": [(BEGIN, END)]}
    assert spans(house, NEU) == {"M1": [(MOVE + 96, END)], "M2": [(BEGIN, END)]}
    assert spans(house, NEU, BEGIN, MOVE + 96) == {"M2": [(BEGIN, MOVE + 96)]}
    assert count_labels(house, MEYER, MOVE, END, None) == 1


def test_a_meter_and_those_that_it_replaced_are_one(house: Store) -> None:
    (_, point) = group_meters(house, MEYER, BEGIN, END)
    assert (point.meter_id, point.chain) == ("M4", ("M3", "M4"))
    assert set(point.numbers) == numbers(house, "M3", "M4")
    assert spans(house, HOUSE) == {name: [(BEGIN, END)] for name in ("M1", "M2", "M4")}


def test_only_those_all_the_time_and_without_a_replacement_can_be_summed_at_once(house: Store) -> None:
    whole = whole_time(HOUSE, BEGIN, END, None)
    assert {row.meter for row in house.query(whole)} == numbers(house, "M1", "M2")
    assert spans(house, HOUSE, but_whole_time=True) == {"M4": [(BEGIN, END)]}
    visible = whole_time(HOUSE, BEGIN, END, [NEU])
    assert {row.meter for row in house.query(visible)} == numbers(house, "M2")
    assert "M2" not in spans(house, HOUSE, within=[NEU], but_whole_time=True)


def test_a_client_sees_a_group_in_the_time_of_his_own_groups(house: Store) -> None:
    assert spans(house, HOUSE, within=[MEYER]) == {"M1": [(BEGIN, MOVE)], "M4": [(BEGIN, END)]}
    both = [(BEGIN, MOVE), (MOVE + 96, END)]
    assert spans(house, HOUSE, within=[MEYER, NEU]) == {"M1": both, "M2": [(BEGIN, END)], "M4": [(BEGIN, END)]}
    assert spans(house, MEYER, within=[NEU]) == {}
    assert count_labels(house, HOUSE, BEGIN, END, [Group("tenant", "Kim")]) == 0


def test_from_when_until_when_a_group_has_meters(house: Store) -> None:
    assert group_spans(house, [HOUSE, MEYER, NEU]) == {group: (0, ALWAYS) for group in (HOUSE, MEYER, NEU)}
    set_labels(house, {"M2": {"tenant": ""}, "M4": {"tenant": [LabelPeriod("Neu", MOVE, MOVE + 10)]}})
    # that of M3 ends with its successor, although its label says nothing of that
    assert group_spans(house, [MEYER, NEU]) == {MEYER: (0, MOVE), NEU: (MOVE, ALWAYS)}


def test_nobody_is_told_of_a_time_that_is_not_his_own(house: Store) -> None:
    """The house began long before Neu and ends long after; the meter was night, day and night again."""
    long = [LabelPeriod("7", BEGIN - 900, END + 900)]
    tariffs = [LabelPeriod("night", 0, BEGIN), LabelPeriod("day", BEGIN, MOVE + 200), LabelPeriod("night", MOVE + 200)]
    tenants = [LabelPeriod("Meyer", 0, MOVE), LabelPeriod("Neu", MOVE + 96, END)]
    set_labels(house, {"M1": {"building": long, "tariff": tariffs, "tenant": tenants}, "M2": {"tenant": ""}})
    kim, day, night = Group("tenant", "Kim"), Group("tariff", "day"), Group("tariff", "night")
    assert group_spans(house, [HOUSE, day, night, NEU, MEYER], [NEU]) == {
        HOUSE: (MOVE + 96, END),
        day: (MOVE + 96, MOVE + 200),
        night: (MOVE + 200, END),
        NEU: (MOVE + 96, END),
    }
    assert group_spans(house, [HOUSE, day], [kim]) == {}
    told = [
        (size.value, size.from_quarter, size.to_quarter)
        for size in groups(house, "tariff", limit=9, now=END, within=[NEU])
    ]
    assert told == [("day", MOVE + 96, MOVE + 200), ("night", MOVE + 200, END)]
    assert [size.value for size in groups(house, "tariff", limit=1, now=END, after="day", within=[NEU])] == ["night"]
    assert groups(house, "tenant", limit=9, now=END, within=[kim]) == []


def test_a_group_of_the_old_meter_is_seen_by_the_tenant_of_the_new_one(house: Store) -> None:
    set_labels(house, {"M4": {"tenant": "Neu"}, "M1": {"building": ""}, "M2": {"building": ""}})
    (size,) = groups(house, "building", limit=9, now=END, within=[NEU])
    assert (size.value, size.meters, size.from_quarter, size.to_quarter) == ("7", 1, MOVE, ALWAYS)


def test_who_is_in_a_group_in_a_quarter(house: Store) -> None:
    assert now(house, MOVE - 1, MEYER) == numbers(house, "M1", "M4")
    assert now(house, MOVE, MEYER) == numbers(house, "M4")
    assert now(house, MOVE, NEU) == numbers(house, "M2")
    assert now(house, MOVE + 96, NEU) == numbers(house, "M1", "M2")


def test_the_new_meter_has_the_labels_of_the_old_one_where_it_has_none_of_that_kind(house: Store) -> None:
    (number,) = numbers(house, "M4")
    rows = house.query(labels_at(END, label.c.kind != "", [number]))
    assert {(row.meter, row.kind, row.value) for row in rows} == {
        (number, "tenant", "Meyer"),
        (number, "building", "7"),
    }
    set_labels(house, {"M4": {"tenant": [LabelPeriod("Neu", MOVE, MOVE + 10)]}})
    assert now(house, MOVE, MEYER) == set()
    # nor after its own has ended
    assert now(house, MOVE + 20, MEYER) == set()
    assert spans(house, MEYER)["M4"] == [(BEGIN, MOVE)]
    assert spans(house, NEU)["M4"] == [(MOVE, MOVE + 10)]


def test_labels_without_days_do_not_give_a_new_tenant_the_time_of_the_old_meter(house: Store) -> None:
    set_labels(house, {"M4": {"tenant": "Neu"}})
    assert spans(house, MEYER)["M4"] == [(BEGIN, MOVE)]
    assert spans(house, NEU)["M4"] == [(MOVE, END)]


def test_a_tenant_of_the_new_meter_alone_has_the_old_one_too(house: Store) -> None:
    set_labels(house, {"M3": {"tenant": ""}, "M4": {"tenant": "Neu"}})
    assert spans(house, NEU)["M4"] == [(BEGIN, END)]
    assert ALWAYS > END
