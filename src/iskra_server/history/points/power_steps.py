r"""Steps of power: when something was switched on or off, from the power of each telegram.

W         ____/~~~~~~~~          A step is a change of level of at least `min_mw` that settles: two telegrams in a
    _____/                       row that differ by less than half of it. A peak that falls back is none, slow
         ^ step                  changes are none, and nothing is said about a silence of more than a minute.
"""

from collections.abc import Iterator

from msgspec import Struct

from iskra_server.history.points.curve import HOLDS_S, PowerValues

_MS = 1000
# of the level so much stays with each telegram: it follows slow changes within some ten telegrams
_LEVEL_SHARE = 8


class PowerStep(Struct, frozen=True):
    """At `at_ms` (Unix milliseconds) power left the level `before_mw`; it settled at `after_mw`."""

    at_ms: int
    before_mw: int
    after_mw: int

    @property
    def change_mw(self) -> int:
        return self.after_mw - self.before_mw


def power_steps(values: PowerValues, min_mw: int) -> Iterator[PowerStep]:
    """In order. A change that has not settled with the last telegram is not a step yet."""
    level: int | None = None
    began_ms: int | None = None
    before_ms = before_mw = 0
    for at_ms, power_mw in zip(values.at_ms, values.power_mw, strict=True):
        if level is None or at_ms - before_ms > HOLDS_S * _MS:
            level, began_ms = power_mw, None
        elif began_ms is None:
            if abs(power_mw - level) < min_mw:
                level += (power_mw - level) // _LEVEL_SHARE
            else:
                began_ms = at_ms
        elif abs(power_mw - before_mw) < min_mw // 2:
            if abs(power_mw - level) >= min_mw:
                yield PowerStep(began_ms, level, power_mw)
            level, began_ms = power_mw, None
        before_ms, before_mw = at_ms, power_mw
