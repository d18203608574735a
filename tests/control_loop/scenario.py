"""The scenario that every device is measured with, and what it shows.

second   load
     0    200 W
    30   1000 W    response to the step: 60 s
    90    200 W    response to the step back: 30 s
   119   1000 W    the last telegram says 800 W too little; no telegram from 120 to 180
   125    200 W    every battery that goes on discharging feeds into the grid
   180    200 W    telegrams again, until 200
"""

from collections.abc import Sequence

from msgspec import Struct

from control_loop.batteries import RAMP_W_PER_S, Model
from control_loop.control_loop import Loop, run
from control_loop.devices import Device
from control_loop.figures import Response, between, moved_wh, response, wrong_wh
from control_loop.household import BASE_LOAD_W, Household

STEP_UP_S, STEP_DOWN_S, GAP_S, GAP_END_S, END_S = 30.0, 90.0, 120.0, 180.0, 200.0
STEP_W = 800.0
STALE_AFTER_S = 10.0
# a meter of ten seconds would be stale before its next telegram
STALE_INTERVALS = 2.5


class Report(Struct, frozen=True):
    """`up` and `down` are the responses to the steps. In the gap: `gap_wrong_wh` is what was discharged into the grid
    or charged from it, `beyond_wh` what the batteries moved at all when the last value was too old and they had time to
    notice; `stopped_s` is when they stood still, None where they did not. `answers` and `failures` count polls.
    """

    up: Response
    down: Response
    gap_wrong_wh: float
    beyond_wh: float
    stopped_s: float | None
    answers: int
    failures: int


async def play(household: Household) -> None:
    """The scenario, from second 0 to 200."""
    for second, load_w, is_silent in (
        (STEP_UP_S, BASE_LOAD_W + STEP_W, False),
        (STEP_DOWN_S, BASE_LOAD_W, False),
        (GAP_S - 1, BASE_LOAD_W + STEP_W, False),
        # the telegram of the second at which the gap begins is still sent
        (GAP_S + 0.5, BASE_LOAD_W + STEP_W, True),
        (GAP_S + 5, BASE_LOAD_W, True),
        (GAP_END_S, BASE_LOAD_W, False),
    ):
        await household.run_until(second)
        household.load_w, household.is_silent = load_w, is_silent
    await household.run_until(END_S)


def scenario(
    followers: Sequence[tuple[Device, Model]],
    interval_s: float,
    speed: float,
    *,
    wait_fresh_s: float = 2.0,
    batteries: int = 1,
) -> Report:
    """Play it: `interval_s` between telegrams; `wait_fresh_s` and `batteries` as in [outputs.emulation]."""
    periods = {
        "IES_EMULATION_STALE_AFTER_S": stale_after_s(interval_s),
        "IES_EMULATION_WAIT_FRESH_S": wait_fresh_s,
    }
    settings = {"IES_EMULATION_BATTERIES": str(batteries)}
    return report(run(Loop(followers, interval_s, settings, periods, speed), play), interval_s)


def stale_after_s(interval_s: float) -> float:
    return max(STALE_AFTER_S, STALE_INTERVALS * interval_s)


def report(household: Household, interval_s: float) -> Report:
    record = household.record
    slowest_s = max(battery.model.idle_after_s for battery in household.batteries)
    moving = [moment.second for moment in between(record, GAP_S, GAP_END_S) if any(moment.batteries_w)]
    strongest_w = max(battery.model.max_discharge_w for battery in household.batteries)
    beyond_s = GAP_S + stale_after_s(interval_s) + slowest_s + strongest_w / RAMP_W_PER_S
    return Report(
        up=response(record, STEP_UP_S, STEP_DOWN_S, STEP_W),
        down=response(record, STEP_DOWN_S, GAP_S - 1, -STEP_W),
        gap_wrong_wh=wrong_wh(record, GAP_S, GAP_END_S),
        beyond_wh=moved_wh(record, beyond_s, GAP_END_S),
        stopped_s=moving[-1] - GAP_S if moving and moving[-1] < GAP_END_S - 1 else None,
        answers=sum(battery.answers for battery in household.batteries),
        failures=sum(battery.failures for battery in household.batteries),
    )
