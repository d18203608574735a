"""Batteries that follow the real server: they keep the household at zero, and stop where the meter does not send.

Seconds are those of the household, which runs faster than real time.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from control_loop.batteries import (
    B2500,
    HOYMILES,
    HOYMILES_DAMPED,
    JUPITER,
    JUPITER_ECOTRACKER,
    RAMP_W_PER_S,
    VENUS,
    VENUS_D,
    Model,
)
from control_loop.control_loop import Device, Loop, Outcome, run, step
from control_loop.devices import ECOTRACKER, SHELLY_HTTP, SHELLY_UDP, SHELLY_WEBSOCKET
from control_loop.figures import moved_wh, response
from control_loop.scenario import STEP_W, Report, report, scenario

# a busy machine stops for a tenth of a second: that must be less than a battery waits
SPEED = 5.0
TOGETHER = 3
WAIT_FRESH_S = 2.0
QUICK_STALE_AFTER_S = 6.0
QUICK = {"IES_EMULATION_STALE_AFTER_S": QUICK_STALE_AFTER_S, "IES_EMULATION_WAIT_FRESH_S": WAIT_FRESH_S}
QUICK_STEP_S, QUICK_PULLED_S, QUICK_END_S = 4.0, 15.5, 28.0
# with an offset of 5 W of each answer
SHARES = 5


def quick(case: tuple[Device, Model]) -> Outcome:
    """A step of the load, and then no telegrams any more."""
    device, model = case
    load_w = step(QUICK_STEP_S, 200.0, 200.0 + STEP_W)
    gaps = [(QUICK_PULLED_S, QUICK_END_S)]
    return run(Loop(device, [model], 1.0, QUICK_END_S, load_w, gaps, periods=QUICK, speed=SPEED))


def test_a_household_is_kept_at_zero_and_no_battery_moves_without_telegrams() -> None:
    """EcoTracker and Shelly by UDP at once, each with a server, a household and a battery of its own."""
    cases = (ECOTRACKER, VENUS_D), (SHELLY_UDP, VENUS)
    with ThreadPoolExecutor() as threads:
        for (_, model), outcome in zip(cases, threads.map(quick, cases), strict=True):
            found = response(outcome.record, QUICK_STEP_S, QUICK_PULLED_S, STEP_W)
            assert found.settled_s is not None, found
            assert found.crossings == 0
            still_s = QUICK_PULLED_S + QUICK_STALE_AFTER_S + model.idle_after_s + STEP_W / RAMP_W_PER_S
            assert moved_wh(outcome.record, still_s, QUICK_END_S) == 0
            assert outcome.batteries[0].failures > 0


def measured(case: tuple[Device, Sequence[Model], float, float, int]) -> Report:
    """By device, batteries, seconds between telegrams, wait_fresh_s, and the number of shares."""
    device, models, interval_s, wait_fresh_s, batteries = case
    loop = scenario(device, models, interval_s, SPEED, wait_fresh_s=wait_fresh_s)
    return report(run(replace(loop, settings={"IES_EMULATION_BATTERIES": str(batteries)})), interval_s)


@pytest.mark.slow
def test_every_device_keeps_every_battery_steady_with_meters_of_one_and_two_seconds() -> None:
    followers = (
        *((ECOTRACKER, model) for model in (VENUS, VENUS_D)),
        *((SHELLY_UDP, model) for model in (VENUS, VENUS_D, B2500, JUPITER)),
        *((SHELLY_HTTP, model) for model in (VENUS_D,)),
        *((SHELLY_WEBSOCKET, model) for model in (HOYMILES, HOYMILES_DAMPED)),
    )
    cases = [(device, [model], interval_s, WAIT_FRESH_S, 1) for device, model in followers for interval_s in (1.0, 2.0)]
    with ThreadPoolExecutor(TOGETHER) as threads:
        for case, found in zip(cases, threads.map(measured, cases), strict=True):
            assert found.up.settled_s is not None, (case, found)
            assert found.down.settled_s is not None, (case, found)
            assert (found.up.crossings, found.beyond_wh) == (0, 0), (case, found)


@pytest.mark.slow
def test_a_battery_that_asks_more_often_than_the_meter_sends_swings_without_waiting() -> None:
    """What wait_fresh_s is for; and these figures can be bad."""
    found = measured((ECOTRACKER, [HOYMILES], 1.0, 0.0, 1))
    assert found.up.crossings > 0
    assert found.beyond_wh == 0


@pytest.mark.slow
def test_shares_keep_a_battery_steady_that_gets_the_same_telegram_several_times() -> None:
    """A meter of ten seconds: an answer every two seconds shows a fifth of the error."""
    found = measured((ECOTRACKER, [VENUS_D], 10.0, WAIT_FRESH_S, SHARES))
    assert (found.up.crossings, found.beyond_wh) == (0, 0)
    assert found.up.amplitude_w < 60


@pytest.mark.slow
def test_two_batteries_share_the_power() -> None:
    cases = [(ECOTRACKER, [VENUS_D, VENUS_D], 1.0, WAIT_FRESH_S, batteries) for batteries in (1, 2)]
    with ThreadPoolExecutor() as threads:
        alone, shared = threads.map(measured, cases)
    assert alone.up.settled_s is None
    assert shared.up.settled_s is not None
    assert (shared.up.crossings, shared.beyond_wh) == (0, 0)


@pytest.mark.slow
def test_one_that_asks_every_13_seconds_needs_two_answers() -> None:
    found = measured((ECOTRACKER, [JUPITER_ECOTRACKER], 1.0, WAIT_FRESH_S, 1))
    assert found.up.settled_s is not None
    assert found.up.settled_s < 3 * JUPITER_ECOTRACKER.poll_s
    assert (found.up.crossings, found.beyond_wh) == (0, 0)
