"""Figures of records whose answer is known."""

import math

from control_loop.figures import crossings, moved_wh, response, wrong_wh
from control_loop.household import RECORD_S, Moment


def record(*pieces: tuple[float, float, tuple[float, ...]]) -> list[Moment]:
    """Seconds, power at the meter, and powers of the batteries, one piece after the other."""
    moments: list[Moment] = []
    for length_s, grid_w, batteries_w in pieces:
        for _ in range(round(length_s / RECORD_S)):
            second = round(len(moments) * RECORD_S, 1)
            moments.append(Moment(second, grid_w, grid_w + sum(batteries_w), batteries_w))
    return moments


def test_a_step_that_is_corrected_in_three_seconds() -> None:
    found = response(record((10, 5, (0,)), (3, 800, (0,)), (57, 5, (795,))), 10, 70, 800)
    assert found.settled_s is not None
    assert math.isclose(found.settled_s, 3, abs_tol=RECORD_S)
    assert (found.overshoot_w, found.crossings, found.amplitude_w) == (0, 0, 0)
    assert math.isclose(found.mean_abs_w, (3 * 800 + 57 * 5) / 60, rel_tol=0.01)


def test_a_step_that_is_corrected_too_much() -> None:
    found = response(record((3, 800, (0,)), (2, -200, (1000,)), (25, 0, (800,))), 0, 30, 800)
    assert found.overshoot_w == 200
    assert found.settled_s is not None
    assert math.isclose(found.settled_s, 5, abs_tol=RECORD_S)


def test_overshoot_of_a_step_down_is_import() -> None:
    assert response(record((3, -800, (800,)), (2, 150, (0,)), (25, 0, (0,))), 0, 30, -800).overshoot_w == 150


def test_a_loop_that_swings_to_the_end_has_not_settled() -> None:
    swinging = [piece for _ in range(10) for piece in ((3.0, 400.0, (0.0,)), (3.0, -400.0, (0.0,)))]
    found = response(record(*swinging), 0, 60, 800)
    assert (found.settled_s, found.amplitude_w, found.crossings) == (None, 400, 9)


def test_swinging_within_the_band_crosses_nothing() -> None:
    assert crossings([10, -10, 10, -10]) == 0
    assert crossings([40, 10, -10, 40, -40, 0, -50, 31]) == 2


def test_energy_that_batteries_moved() -> None:
    moments = record((36, 100, (1000, -500)))
    assert math.isclose(moved_wh(moments, 0, 36), 15)
    assert math.isclose(moved_wh(moments, 18, 36), 7.5)


def test_wrong_is_what_is_discharged_into_the_grid_or_charged_from_it() -> None:
    assert math.isclose(wrong_wh(record((36, -300, (1000,))), 0, 36), 3)
    # more than the battery gives comes from a roof
    assert math.isclose(wrong_wh(record((36, -3000, (1000,))), 0, 36), 10)
    assert math.isclose(wrong_wh(record((36, 200, (-1000,))), 0, 36), 2)
    assert wrong_wh(record((36, 200, (1000,)), (36, -200, (-1000,)), (36, -200, (0,))), 0, 108) == 0


def test_one_battery_that_charges_another_is_wrong_only_as_far_as_the_grid_sees_it() -> None:
    assert wrong_wh(record((36, 0, (500, -500))), 0, 36) == 0
