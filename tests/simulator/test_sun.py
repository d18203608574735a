from itertools import pairwise
from math import radians
from random import Random

import pytest

from iskra_server.simulator.sun import NOON_S, generation, half_day_s

PEAK_W = 5000
# days since 1970: the solstices of 2026
JUNE_21 = 20_625
DECEMBER_21 = 20_808


def energy_kwh(day: int, seed: int) -> float:
    return sum((end - start) * power_mw for start, end, power_mw in generation(day, PEAK_W, Random(seed))) / 3.6e9


@pytest.mark.parametrize(("declination", "hours"), [(0.0, 12.0), (23.44, 16.2), (-23.44, 7.8)])
def test_the_day_is_as_long_as_the_season_says(declination: float, hours: float) -> None:
    assert 2 * half_day_s(radians(declination)) / 3600 == pytest.approx(hours, abs=0.2)


def test_steps_follow_each_other_around_noon_and_stay_within_the_rated_power() -> None:
    steps = generation(JUNE_21, PEAK_W, Random(1))
    assert all(end == start for (_, end, _), (start, _, _) in pairwise(steps))
    assert (steps[0][0] + steps[-1][1]) // 2 == NOON_S
    assert all(0 <= power_mw <= PEAK_W * 1000 for _, _, power_mw in steps)


def test_summer_gives_several_times_what_winter_gives() -> None:
    summer = sum(energy_kwh(JUNE_21, seed) for seed in range(30))
    winter = sum(energy_kwh(DECEMBER_21, seed) for seed in range(30))
    assert 500 < summer < 1100
    assert summer > 5 * winter > 0


def test_clouds_set_days_apart() -> None:
    days = [energy_kwh(JUNE_21, seed) for seed in range(30)]
    assert max(days) > 2 * min(days)


def test_without_a_roof_there_is_nothing() -> None:
    assert generation(JUNE_21, 0, Random(1)) == []
