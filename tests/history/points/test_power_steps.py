from collections.abc import Iterable

import pytest

from iskra_server.history.points.curve import PowerValues
from iskra_server.history.points.power_steps import PowerStep, power_steps

MIN_MW = 200_000


def steps(watts: Iterable[int], every_s: int = 1) -> list[tuple[int, int]]:
    """The second and the change in W of each step, of telegrams that begin at second 0."""
    powers = [value * 1000 for value in watts]
    values = PowerValues([place * every_s * 1000 for place in range(len(powers))], powers)
    return [(step.at_ms // 1000, round(step.change_mw / 1000)) for step in power_steps(values, MIN_MW)]


def test_a_kettle_is_a_step_up_and_a_step_down() -> None:
    assert steps([300] * 10 + [2310] * 60 + [305] * 10) == [(10, 2010), (70, -2005)]


def test_a_step_over_several_telegrams_is_one() -> None:
    assert steps([300] * 10 + [900, 1700, 2310, 2315, 2310]) == [(10, 2015)]


def test_a_peak_that_falls_back_is_none() -> None:
    assert steps([300] * 10 + [3000, 350] + [300] * 10) == []


def test_noise_and_slow_changes_are_none() -> None:
    assert steps([300 + 150 * (place % 2) for place in range(100)]) == []
    assert steps(range(0, -4000, -15)) == []


def test_a_change_that_has_not_settled_is_none_yet() -> None:
    assert steps([300] * 10 + [2310]) == []
    assert steps([300] * 10 + [2310, 2310]) == [(10, 2010)]


def test_nothing_is_said_about_a_silence() -> None:
    assert steps([300, 2310, 2310], every_s=61) == []
    values = PowerValues([0, 1000, 70_000, 71_000], [300_000, 300_000, 2_310_000, 2_310_000])
    assert list(power_steps(values, MIN_MW)) == []


def test_power_to_the_grid_has_steps_too() -> None:
    assert steps([-3000] * 5 + [-1000] * 5) == [(5, 2000)]


@pytest.mark.parametrize("watts", [[], [300]])
def test_few_telegrams_have_no_steps(watts: list[int]) -> None:
    assert steps(watts) == []


def test_a_step_has_both_levels() -> None:
    (step,) = power_steps(PowerValues([0, 1000, 2000], [100_500, 900_000, 900_250]), MIN_MW)
    assert step == PowerStep(1000, 100_500, 900_250)
