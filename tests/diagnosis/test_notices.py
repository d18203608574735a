from datetime import UTC, datetime
from typing import Any

import pytest

from diagnosis.well import facts
from iskra_server.diagnosis.notices import notices

OTHER = "1 ISK 00 87654321"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"previous_meter_id": OTHER, "meter_changes": 1}, ["other_meter"]),
        ({"previous_meter_id": OTHER, "meter_changes": 2}, ["two_meters"]),
        ({"clock_problem": "unset", "clock_time": datetime(1970, 1, 1, tzinfo=UTC)}, ["clock_behind"]),
        ({"clock_problem": "stepped", "clock_time": datetime(2026, 1, 1, tzinfo=UTC)}, ["clock_stepped"]),
        ({"rows_set_aside": 3}, ["set_aside"]),
        ({"phases_missing": ("L2", "L3")}, ["phases"]),
        ({"ignored_telegrams": 9}, []),
        ({"ignored_telegrams": 10}, ["changing_ids"]),
        ({"is_import_only": True}, ["import_only"]),
        ({"is_import_only": True, "role": "production"}, ["no_production"]),
        ({"is_import_only": True, "role": "production", "production_counter": "import"}, []),
        ({"simulated": True}, ["simulated"]),
    ],
)
def test_each_is_noticed(changes: dict[str, Any], expected: list[str]) -> None:
    assert [notice.fault for notice in notices(facts(**changes))] == expected


def test_the_phases_and_the_clock_are_named() -> None:
    (phases,) = notices(facts(phases_missing=("L2", "L3")))
    assert "L2, L3" in phases.en.sentence
    (clock,) = notices(facts(clock_problem="unset", clock_time=datetime(1970, 1, 1, tzinfo=UTC)))
    assert "1970-01-01 00:00 UTC" in clock.en.sentence


@pytest.mark.parametrize(
    ("changes", "heads"),
    [({}, 2), ({"meter_id": OTHER}, 1), ({"age_s": None}, 1), ({"age_s": 61.0}, 1)],
)
def test_two_heads_on_one_meter_are_two_only_while_both_deliver(changes: dict[str, Any], heads: int) -> None:
    found = [notice.fault for notice in notices(facts(), [facts(port="/dev/ttyUSB1", **changes)])]
    assert found == ["two_heads"] * (heads - 1)
