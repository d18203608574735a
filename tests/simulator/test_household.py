from datetime import UTC, datetime
from itertools import pairwise

import pytest

from iskra_server.simulator.appliances import DAY_S
from iskra_server.simulator.household import INSTALLED, KWH, TENTH_WH, YEARLY_KWH, Household

JUNE = int(datetime(2026, 6, 19, 23, tzinfo=UTC).timestamp())
QUARTER_S = 900
ROOF_W = 5000


@pytest.mark.parametrize("pv_peak_w", [pytest.param(0, marks=pytest.mark.slow), 600, ROOF_W])
def test_counters_are_the_exact_sum_of_the_power_second_by_second(pv_peak_w: int) -> None:
    house = Household(1, pv_peak_w, JUNE)
    imported = exported = 0
    first = house.at(JUNE)
    for second in range(JUNE, JUNE + DAY_S + 3600):
        state = house.at(second)
        assert (state.import_mws - first.import_mws, state.export_mws - first.export_mws) == (imported, exported)
        imported += max(0, state.power_mw)
        exported -= min(0, state.power_mw)
    assert imported > KWH
    assert (exported > KWH) == (pv_peak_w > 0)


def test_a_second_is_the_same_however_it_is_reached() -> None:
    walked, jumped = Household(3, ROOF_W, JUNE - 40 * DAY_S), Household(3, ROOF_W, JUNE)
    for second in range(JUNE - 40 * DAY_S, JUNE, 7 * 3600):
        walked.at(second)
    later = JUNE + 12 * 3600
    assert jumped.at(later + DAY_S) == walked.at(later + DAY_S)
    assert jumped.at(later) == walked.at(later)
    assert Household(4, ROOF_W, JUNE).at(later) != jumped.at(later)


def test_a_later_start_never_finds_a_lower_counter() -> None:
    earlier = Household(1, ROOF_W, JUNE).at(JUNE + 300 * DAY_S)
    later = Household(1, ROOF_W, JUNE + 300 * DAY_S).at(JUNE + 300 * DAY_S)
    assert datetime.fromtimestamp(later.second, UTC).year == 2027
    assert later.import_mws > earlier.import_mws
    assert later.export_mws > earlier.export_mws
    assert later.night > earlier.night


@pytest.mark.parametrize("seed", range(1, 4))
def test_a_year_is_believable_and_within_the_counters_yearly_room(seed: int) -> None:
    start = int(datetime(2024, 12, 31, 23, tzinfo=UTC).timestamp())
    house = Household(seed, ROOF_W, start)
    first, last = house.at(start), house.at(start + 365 * DAY_S)
    assert 1000 < (last.import_mws - first.import_mws) / KWH < 3000
    assert 3000 < (last.export_mws - first.export_mws) / KWH < YEARLY_KWH
    assert last.night - first.night < YEARLY_KWH * 10_000 // 4


def test_the_night_counter_moves_at_night_alone_and_only_with_the_total() -> None:
    house = Household(1, 0, JUNE)
    for begin in (5, 21):
        states = [house.at(JUNE + begin * 3600 + second) for second in range(7200)]
        for before, after in pairwise(states):
            grown = after.import_mws // TENTH_WH - before.import_mws // TENTH_WH
            is_night = not 6 <= (before.second - JUNE) / 3600 < 22
            assert after.night - before.night == (grown if is_night else 0)
        assert states[0].night < states[-1].night


def test_the_meter_at_the_roof_agrees_with_that_of_the_house() -> None:
    """What the house used is what it would have used without a roof, but for the flicker of three meters."""
    house, roof, without = Household(1, ROOF_W, JUNE), Household(1, ROOF_W, JUNE, is_plant=True), Household(1, 0, JUNE)
    before = [home.at(JUNE) for home in (house, roof, without)]
    produced = 0
    for second in range(JUNE + QUARTER_S, JUNE + 2 * DAY_S, QUARTER_S):
        after = [home.at(second) for home in (house, roof, without)]
        imported, _, truth = (one.import_mws - other.import_mws for one, other in zip(after, before, strict=True))
        exported, produced, _ = (one.export_mws - other.export_mws for one, other in zip(after, before, strict=True))
        assert abs(imported + produced - exported - truth) < 10 * TENTH_WH
        assert after[1].import_mws == before[1].import_mws and produced - exported >= 0
        before = after
    assert roof.at(JUNE + DAY_S).export_mws - roof.at(JUNE).export_mws > 5 * KWH


def test_there_is_sun_by_day_and_none_by_night() -> None:
    house = Household(2, ROOF_W, JUNE)
    power_w = [house.at(JUNE + quarter * QUARTER_S).power_mw / 1000 for quarter in range(3 * 96)]
    assert min(power_w) < -1500
    assert all(power_w[day * 96 + quarter] > 0 for day in range(3) for quarter in (*range(14), *range(88, 96)))


def test_the_power_is_alive_on_every_phase() -> None:
    house = Household(1, 0, JUNE)
    states = [house.at(JUNE + 3600 + second) for second in range(300)]
    for phase in range(3):
        assert len({state.phases_mw[phase] for state in states}) > 5
    assert max(abs(b.power_mw - a.power_mw) for a, b in pairwise(states)) < 200_000


def test_two_years_of_quarter_hours_never_step_back() -> None:
    house = Household(1, ROOF_W, JUNE)
    before = house.at(JUNE)
    for second in range(JUNE, JUNE + 730 * DAY_S, QUARTER_S):
        state = house.at(second)
        assert state.import_mws >= before.import_mws
        assert state.export_mws >= before.export_mws
        assert state.night >= before.night
        before = state


def test_there_is_nothing_before_the_meter_was_installed_or_before_the_year_of_the_start() -> None:
    with pytest.raises(ValueError, match="installed on 2020-01-01"):
        Household(1, 0, INSTALLED - 1)
    with pytest.raises(ValueError, match="year of its start"):
        Household(1, 0, JUNE).at(JUNE - 300 * DAY_S)


def test_it_is_reckoned_a_day_at_a_time_and_only_once() -> None:
    start = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    household, second = Household(1, 0, start), start + 10 * 86_400
    assert len(list(household.advance(second))) == 10
    assert list(household.advance(second)) == []
    assert household.at(second) == Household(1, 0, start).at(second)
