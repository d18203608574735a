"""What is filled, and what is left: the same for the command and for the action of the integration."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from iskra_server.homeassistant import filling
from iskra_server.homeassistant.filling import Filling, Values, fill_energy, fill_power

HERE = Path(filling.__file__).parent
COPIES = Path(__file__).parents[2] / "integrations/homeassistant/custom_components/iskra_server"
BEGIN, HOUR_S = 1_795_600_800, 3600
ALL = (0, 2**40)


def answer(hours: int) -> dict[str, Any]:
    """From 100 kWh on, 100 Wh and 400 W in every quarter-hour; the counter restarts at 0 after two hours."""
    total = [100_000 + place * 100 for place in range(hours * 4 + 1)]
    shown = [*total[:8], *(wh - total[8] for wh in total[8:])]
    powers = {name: [Decimal(watts)] * hours * 4 for name, watts in (("min_w", 300), ("mean_w", 400), ("max_w", 500))}
    columns = [{"name": "energy_import", "shown_wh": shown, "total_wh": total}]
    return {"begin": "2026-11-25T10:00:00+00:00", "counters": columns, "power": powers}


def held(*rows: tuple[int, str, str]) -> dict[int, Values]:
    return {BEGIN + hour * HOUR_S: {"state": Decimal(state), "sum": Decimal(total)} for hour, state, total in rows}


# the gap has the restart inside; a second one lies behind it
ROWS = held((0, "100.4", "7"), (3, "0.8", "7.8"), (5, "1.6", "8.6"))


def fill(rows: dict[int, Values], *, may_correct: bool, span: tuple[int, int] = ALL) -> Filling:
    return fill_energy("energy_import", "kWh", rows, [answer(8)], span, may_correct=may_correct)


def test_a_gap_with_a_restart_is_left_and_the_others_are_filled() -> None:
    found = fill(ROWS, may_correct=False)
    assert found.new == held((4, "1.2", "8.2"))
    assert (found.corrections, found.replaced) == ({}, {BEGIN + 3 * HOUR_S: Decimal("0.4")})


def test_a_gap_with_a_restart_is_filled_where_sums_may_be_corrected() -> None:
    found = fill(ROWS, may_correct=True)
    # every sum behind the restart is higher by what Home Assistant has not counted
    assert found.new == held((1, "0", "7.4"), (2, "0.4", "7.8"), (4, "1.2", "8.6"))
    assert (found.corrections, found.replaced) == ({BEGIN + 3 * HOUR_S: Decimal("0.4")}, {})


def test_only_what_reaches_into_the_period_is_filled() -> None:
    assert fill(ROWS, may_correct=True, span=(BEGIN + 7 * HOUR_S, BEGIN + 9 * HOUR_S)) == Filling()


def test_a_meter_without_the_counter_changes_nothing() -> None:
    assert fill_energy("energy_export", "kWh", ROWS, [answer(8)], ALL, may_correct=True) == Filling()
    assert fill_energy("energy_import", "kWh", ROWS, [], ALL, may_correct=True) == Filling()


def test_missing_hours_of_power() -> None:
    row = {"min": Decimal(300), "mean": Decimal(400), "max": Decimal(500)}
    rows = {BEGIN: row, BEGIN + HOUR_S: {}, BEGIN + 2 * HOUR_S: row}
    assert fill_power("power", "W", rows, [answer(3)], ALL) == Filling({BEGIN + HOUR_S: row})


@pytest.mark.parametrize("name", ["filling.py", "gaps.py", "recorded.py"])
def test_the_copy_of_the_integration_is_the_same(name: str) -> None:
    assert (COPIES / name).read_bytes() == (HERE / name).read_bytes()
