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
from control_loop.control_loop import Device, Loop, Outcome
from control_loop.figures import Response, between, moved_wh, response, wrong_wh

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


def load_w(second: float) -> float:
    is_high = STEP_UP_S <= second < STEP_DOWN_S or GAP_S - 1 <= second < GAP_S + 5
    return 1000.0 if is_high else 200.0


def scenario(device: Device, models: Sequence[Model], interval_s: float, speed: float, **settings: float) -> Loop:
    """One run. `settings` are keys of [outputs.emulation] in seconds; other settings: `settings` of the loop."""
    stale_s = stale_after_s(interval_s)
    periods = {f"IES_EMULATION_{key.upper()}": value for key, value in settings.items()}
    return Loop(
        device=device,
        models=models,
        interval_s=interval_s,
        length_s=END_S,
        load_w=load_w,
        # the telegram of the second at which it begins is still sent
        gaps=[(GAP_S + 0.5, GAP_END_S)],
        periods={"IES_EMULATION_STALE_AFTER_S": stale_s, **periods},
        speed=speed,
    )


def stale_after_s(interval_s: float) -> float:
    return max(STALE_AFTER_S, STALE_INTERVALS * interval_s)


def report(outcome: Outcome, interval_s: float) -> Report:
    record = outcome.record
    slowest_s = max(battery.model.idle_after_s for battery in outcome.batteries)
    moving = [moment.second for moment in between(record, GAP_S, GAP_END_S) if any(moment.batteries_w)]
    strongest_w = max(battery.model.max_discharge_w for battery in outcome.batteries)
    beyond_s = GAP_S + stale_after_s(interval_s) + slowest_s + strongest_w / RAMP_W_PER_S
    return Report(
        up=response(record, STEP_UP_S, STEP_DOWN_S, STEP_W),
        down=response(record, STEP_DOWN_S, GAP_S - 1, -STEP_W),
        gap_wrong_wh=wrong_wh(record, GAP_S, GAP_END_S),
        beyond_wh=moved_wh(record, beyond_s, GAP_END_S),
        stopped_s=moving[-1] - GAP_S if moving and moving[-1] < GAP_END_S - 1 else None,
        answers=sum(battery.answers for battery in outcome.batteries),
        failures=sum(battery.failures for battery in outcome.batteries),
    )
