"""Plug-in batteries that read a meter and regulate it to zero, as far as their behaviour is known from outside.

    error = power at the meter -> rule -> target -> dead time -> ramp -> power (+ discharges into the house)

A rule is asked once per answer. Nobody outside the makers knows dead times and ramps; those here are of the order that
users measured. What a battery does without an answer is a choice of ours: it goes idle `IDLE_AFTER_S` after the last
one, or when the next poll was not answered in time where it polls slowly.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

DEAD_TIME_S = 0.3
RAMP_W_PER_S = 1000.0
IDLE_AFTER_S = 4.0
# longer than a server may hold an answer
TIMEOUT_S = 2.5
SECONDS_PER_HOUR = 3600


class Rule(Protocol):
    """From the meter's power in W and the target so far, the new target of the battery in W."""

    def __call__(self, error_w: float, target_w: float) -> float: ...


class Model(Struct, frozen=True):
    """How a battery polls and what it can do: powers in W, `rule` makes the rule of one battery.

    All can give more than the 800 W that German law allows: a step of 800 W above the base load must fit.
    """

    name: str
    poll_s: float
    rule: Callable[[], Rule]
    max_discharge_w: float = 1600.0
    max_charge_w: float = 1600.0
    capacity_wh: float = 2000.0

    @property
    def idle_after_s(self) -> float:
        """How long after the last answer it goes idle."""
        return max(IDLE_AFTER_S, self.poll_s + TIMEOUT_S)


def integrator(gain: float = 1.0, offset_w: float = 0.0) -> Callable[[], Rule]:
    """Adds `gain` times the error, less `offset_w`, to the target at each answer."""
    return lambda: lambda error_w, target_w: target_w + gain * (error_w - offset_w)


class BandAndSteps:
    """Venus: nothing within 20 W, steps of at most 400 W, and a jump of more than 50 W only when seen twice."""

    BAND_W, STEP_W, SPIKE_W = 20.0, 400.0, 50.0

    def __init__(self) -> None:
        self._before_w = 0.0

    def __call__(self, error_w: float, target_w: float) -> float:
        is_spike = abs(error_w - self._before_w) > self.SPIKE_W
        self._before_w = error_w
        if abs(error_w) <= self.BAND_W or is_spike:
            return target_w
        return target_w + max(-self.STEP_W, min(self.STEP_W, error_w))


VENUS = Model("Venus", 1.0, BandAndSteps)
VENUS_D = Model("Venus D", 1.0, integrator(offset_w=5.0))
# it has its own solar modules and cannot charge from the grid
B2500 = Model("B2500", 2.0, integrator(0.9), max_charge_w=0.0)
JUPITER = Model("Jupiter, 3 s", 3.0, integrator(0.9))
JUPITER_ECOTRACKER = Model("Jupiter, 13 s", 13.0, integrator(0.9))
HOYMILES = Model("Hoymiles", 0.5, integrator())
HOYMILES_DAMPED = Model("Hoymiles, damped", 0.5, integrator(0.3))
MODELS = (VENUS, VENUS_D, B2500, JUPITER, JUPITER_ECOTRACKER, HOYMILES, HOYMILES_DAMPED)


class Battery:
    """`answers` and `failures` count its polls; `power_w` is its power now.

    `answered_s` is when it was last answered, and `asked_s` when it had asked for that.
    """

    def __init__(self, model: Model, charge: float = 0.5) -> None:
        self.model = model
        self.power_w = 0.0
        self.energy_wh = charge * model.capacity_wh
        self.answers = self.failures = 0
        self._rule = model.rule()
        self._target_w = self._ordered_w = 0.0
        self._orders: deque[tuple[float, float]] = deque()
        self.asked_s = self.answered_s = 0.0

    def advance(self, now_s: float, step_s: float) -> None:
        """Compute `step_s` until `now_s`: orders whose dead time is over, idle without answers, ramp, charge."""
        while self._orders and self._orders[0][0] <= now_s:
            self._ordered_w = self._orders.popleft()[1]
        if now_s - self.answered_s > self.model.idle_after_s:
            self._target_w = self._ordered_w = 0.0
            self._orders.clear()
        change_w = RAMP_W_PER_S * step_s
        self.power_w += max(-change_w, min(change_w, self._ordered_w - self.power_w))
        left_wh = self.energy_wh - self.power_w * step_s / SECONDS_PER_HOUR
        if not 0 <= left_wh <= self.model.capacity_wh:
            # empty or full: the battery stops at once
            self.power_w, left_wh = 0.0, self.energy_wh
        self.energy_wh = left_wh

    def answer(self, grid_w: float | None, now_s: float) -> None:
        """What the meter has answered, or None."""
        if grid_w is None:
            self.failures += 1
            return
        self.answers += 1
        self.answered_s = now_s
        target_w = self._rule(grid_w, self._target_w)
        # a target beyond what it can do would have to be taken back before anything happens
        self._target_w = max(-self.model.max_charge_w, min(self.model.max_discharge_w, target_w))
        self._orders.append((now_s + DEAD_TIME_S, self._target_w))
