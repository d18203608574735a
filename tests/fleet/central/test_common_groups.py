"""The groups that meters of a group belong to at the same time; on both databases."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from history.entries import METER
from iskra_server.fleet.central.common_groups import each_group_among, in_none
from iskra_server.fleet.central.label_periods import Group, LabelPeriod, MeterPeriod
from iskra_server.fleet.central.queries import set_labels
from iskra_server.history.store.store import Store

BEGIN, END = 1_000_000, 1_001_000
MOVE = BEGIN + 500
HOUSE = Group("building", "7")
Values = str | Sequence[LabelPeriod]


@pytest.mark.parametrize(
    ("labels", "before", "after"),
    [
        # who has moved out is no tenant of the time after
        ({"M1": {"building": "7", "tenant": [LabelPeriod("Meyer", 0, MOVE)]}}, ["Meyer"], []),
        # of a meter that came into the house later, and of one of another house
        ({"M1": {"building": [LabelPeriod("7", MOVE)], "tenant": [LabelPeriod("Meyer", 0, MOVE)]}}, [], []),
        ({"M1": {"building": "8", "tenant": "Meyer"}}, [], []),
        # a tenant of a replaced meter is one of its successor
        (
            {"M2": {"building": "7", "tenant": "Meyer"}, "M1": {"building": "7", "tenant": "Beck"}},
            ["Beck", "Meyer"],
            ["Beck", "Meyer"],
        ),
    ],
)
def test_the_tenants_of_a_house_are_those_of_the_time(
    store: Store, labels: dict[str, dict[str, Values]], before: list[str], after: list[str]
) -> None:
    meters = (
        replace(METER, meter_id=f"M{place}", first_s=first * 900, last_s=END * 900)
        for place, first in ((1, BEGIN), (2, BEGIN), (3, MOVE))
    )
    store.write([], list(meters))
    store.replace_meter("M2", "M3")
    set_labels(store, labels)
    for begin, end, tenants in ((BEGIN, MOVE, before), (MOVE, END, after)):
        assert [group.value for group in each_group_among(store, HOUSE, "tenant", begin, end)] == tenants
    assert not list(each_group_among(store, HOUSE, "tenant", BEGIN, END, within=[Group("building", "9")]))


def test_the_time_in_which_a_meter_is_in_none_of_the_groups() -> None:
    def period(name: str, *spans: tuple[int, int]) -> MeterPeriod:
        return MeterPeriod(name, (name,), spans, (1,))

    house = [period("M1", (0, 10), (20, 30)), period("M2", (0, 10)), period("M3", (0, 10))]
    groups = [[period("M1", (2, 4), (20, 25))], [period("M1", (4, 6)), period("M2", (0, 10))]]
    assert in_none(house, groups) == [period("M1", (0, 2), (6, 10), (25, 30)), period("M3", (0, 10))]
