"""Fresh means: a telegram arrived, not long ago (docs/architecture.md, promise 4).

A meter's reading is stale `stale_after_s` after its last telegram, however seldom it sends: the limit that is
configured is the limit. How often it usually sends tells a limit that is too short for it from a head that slipped.
"""

from collections import deque

from iskra_server.base.clock import possible_pause_s, wall_ahead_s

_REMEMBERED_INTERVALS = 9


class Pace:
    """When one meter sent last and how often it does, by boot time, and so when its reading is stale."""

    def __init__(self, stale_after_s: float) -> None:
        self.stale_after_s = stale_after_s
        self._last_s: float | None = None
        self._ahead_s = 0.0
        self._intervals_s: deque[float] = deque(maxlen=_REMEMBERED_INTERVALS)

    def arrived(self, at_s: float) -> None:
        if self._last_s is not None:
            self._intervals_s.append(at_s - self._last_s)
        self._last_s, self._ahead_s = at_s, wall_ahead_s()

    @property
    def usual_s(self) -> float | None:
        """The usual time between two telegrams, None before there are two."""
        ordered_s = sorted(self._intervals_s)
        return ordered_s[(len(ordered_s) - 1) // 2] if ordered_s else None

    def age_s(self, now_s: float) -> float | None:
        """How long ago the last telegram arrived, at a moment of boot time; a pause that it did not count included."""
        return None if self._last_s is None else max(now_s - self._last_s, 0.0) + possible_pause_s(self._ahead_s)

    def is_fresh(self, now_s: float) -> bool:
        age_s = self.age_s(now_s)
        return age_s is not None and age_s <= self.stale_after_s
