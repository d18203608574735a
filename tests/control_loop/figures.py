"""What a record of the household says about the control loop."""

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from control_loop.household import RECORD_S, Moment

BAND_W = 30.0
SECONDS_PER_HOUR = 3600
# a loop that leaves the band after this part of the time has not settled
SETTLED_S = 5.0


class Response(Struct, frozen=True):
    """How the power at the meter followed a step of the load. Powers in W.

    `settled_s`: seconds from the step until it stayed within 30 W, None where it did not. `overshoot_w`: how far it
    went to the other side. In the last half: `crossings` of the whole band from one side to the other, and
    `amplitude_w`, half of what lies between lowest and highest.
    """

    mean_abs_w: float
    overshoot_w: float
    settled_s: float | None
    crossings: int
    amplitude_w: float


def between(record: Sequence[Moment], begin: float, end: float) -> list[Moment]:
    return [moment for moment in record if begin <= moment.second < end]


def response(record: Sequence[Moment], begin: float, end: float, step_w: float) -> Response:
    """The response to a step of `step_w` at `begin`; nothing else changes until `end`."""
    moments = between(record, begin, end)
    last_half = [moment.grid_w for moment in moments[len(moments) // 2 :]]
    outside = [moment.second for moment in moments if abs(moment.grid_w) > BAND_W]
    settled_s = outside[-1] - begin + RECORD_S if outside else 0.0
    sign = 1 if step_w > 0 else -1
    return Response(
        mean_abs_w=sum(abs(moment.grid_w) for moment in moments) / len(moments),
        overshoot_w=max(0.0, *(-sign * moment.grid_w for moment in moments)),
        settled_s=settled_s if settled_s <= end - begin - SETTLED_S else None,
        crossings=crossings(last_half),
        amplitude_w=(max(last_half) - min(last_half)) / 2,
    )


def crossings(powers_w: Sequence[float]) -> int:
    """How often the power went from above the band to below it, or back."""
    sides = [power_w > 0 for power_w in powers_w if abs(power_w) > BAND_W]
    return sum(before != after for before, after in pairwise(sides))


def moved_wh(record: Sequence[Moment], begin: float, end: float) -> float:
    """What the batteries charged and discharged."""
    moved_w = sum(abs(power_w) for moment in between(record, begin, end) for power_w in moment.batteries_w)
    return moved_w * RECORD_S / SECONDS_PER_HOUR


def wrong_wh(record: Sequence[Moment], begin: float, end: float) -> float:
    """What the batteries discharged into the grid, and charged from the grid."""

    def wrong_w(moment: Moment) -> float:
        into_grid_w = min(sum(max(0.0, power_w) for power_w in moment.batteries_w), -moment.grid_w)
        from_grid_w = min(-sum(min(0.0, power_w) for power_w in moment.batteries_w), moment.grid_w)
        return max(0.0, into_grid_w, from_grid_w)

    return sum(wrong_w(moment) for moment in between(record, begin, end)) * RECORD_S / SECONDS_PER_HOUR
