"""Fresh means: a telegram arrived, not long ago (DESIGN.md, promise 4).

A meter's reading is stale `stale_after_s` after its last telegram. A meter that by habit sends more rarely
is given ten of its own intervals.
"""

from collections import deque

MISSED_TELEGRAMS = 10
_REMEMBERED_INTERVALS = 9


class Pace:
    """How often one meter sends, by the monotonic clock, and so when its reading is stale."""

    def __init__(self, stale_after_s: float) -> None:
        self.stale_after_s = stale_after_s
        self._last_s: float | None = None
        self._intervals_s: deque[float] = deque(maxlen=_REMEMBERED_INTERVALS)

    def arrived(self, monotonic_s: float) -> None:
        if self._last_s is not None:
            self._intervals_s.append(monotonic_s - self._last_s)
        self._last_s = monotonic_s

    @property
    def limit_s(self) -> float:
        """The age at which a reading of this meter is stale."""
        ordered_s = sorted(self._intervals_s)
        usual_s = ordered_s[(len(ordered_s) - 1) // 2] if ordered_s else 0.0
        return max(self.stale_after_s, MISSED_TELEGRAMS * usual_s)

    def is_fresh(self, now_s: float) -> bool:
        return self._last_s is not None and now_s - self._last_s <= self.limit_s
