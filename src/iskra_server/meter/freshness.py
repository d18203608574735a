"""Whether a reading is current: its telegram arrived within the age limit (docs/architecture.md, promise 4).

A reading is stale `stale_after_s` after its last telegram, however rarely the meter sends. The usual interval shows
whether the limit is too short for the meter, or the head has slipped; of several lists that a meter sends in turn, it
is that of the most frequent one.
"""

from collections import deque
from collections.abc import Iterable

from iskra_server.base.clock import possible_pause_s, wall_ahead_s

_REMEMBERED_INTERVALS = 9
# a meter sends two or three
_MAX_LISTS = 8


class Freshness:
    """The last arrival and the usual interval of one meter, in boot time."""

    def __init__(self, stale_after_s: float) -> None:
        self.stale_after_s = stale_after_s
        # the earliest time at which the last telegram may have arrived
        self._last_s: float | None = None
        self._ahead_s = 0.0
        # list -> its last arrival and intervals
        self._lists: dict[int, tuple[float, deque[float]]] = {}

    def note_arrival(self, at_s: float, list_number: int = 0, *, waited_s: float = 0.0) -> None:
        """A telegram with one of the meter's lists; it may have come up to `waited_s` earlier."""
        last_s, intervals_s = self._lists.get(list_number, (None, deque[float](maxlen=_REMEMBERED_INTERVALS)))
        if last_s is not None:
            intervals_s.append(at_s - last_s)
        elif len(self._lists) >= _MAX_LISTS:
            self._lists.clear()
        self._lists[list_number] = at_s, intervals_s
        self._last_s, self._ahead_s = at_s - waited_s, wall_ahead_s()

    @property
    def usual_s(self) -> float | None:
        """The usual time between two telegrams of the most frequent list, None before there are two."""
        return min((_median(intervals_s) for _, intervals_s in self._lists.values() if intervals_s), default=None)

    def age_s(self, now_s: float) -> float | None:
        """Seconds since the last telegram at `now_s` (boot time), including a pause that boot time did not count."""
        return None if self._last_s is None else max(now_s - self._last_s, 0.0) + possible_pause_s(self._ahead_s)

    def is_fresh(self, now_s: float) -> bool:
        age_s = self.age_s(now_s)
        return age_s is not None and age_s <= self.stale_after_s


def _median(intervals_s: Iterable[float]) -> float:
    """The lower one of two."""
    ordered_s = sorted(intervals_s)
    return ordered_s[(len(ordered_s) - 1) // 2]
