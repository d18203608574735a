"""How long a telegram may have waited to be read, because this process did not run, or was busy.

    beats       |    |    |    |                    |    |
    process          runs      [      stalled      ]  runs
    telegram                       x - - - - - - - - > read: it may have come at any moment since the last beat

Pauses of more than 4 s are noticed where telegrams are read (base/pauses.py), for everything that is recorded. Shorter
ones matter here alone: the age of a reading would be too low by as much, and a battery would follow it for longer.
"""

import asyncio
from collections import deque

from iskra_server.base.clock import boottime_s

# a stall is what is twice as long as the time between two beats
BEAT_S, STALL_S = 0.25, 0.5
# what came during a stall is read within so long after it
READ_S = 0.5
# those of five minutes, the longest stale_after_s: a reading whose stall is forgotten would look younger again
_MAX_STALLS = 600


class Stalls:
    """The last stalls of the event loop. All times are boot time."""

    def __init__(self) -> None:
        self._beat_s: float | None = None
        # last beat before it, first one after it
        self._stalls: deque[tuple[float, float]] = deque(maxlen=_MAX_STALLS)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self.beat(boottime_s())
            await asyncio.sleep(BEAT_S)

    def beat(self, now_s: float) -> None:
        if self._beat_s is not None and now_s - self._beat_s > STALL_S:
            self._stalls.append((self._beat_s, now_s))
        self._beat_s = now_s

    def waited_s(self, read_s: float, now_s: float) -> float:
        """At most so long a telegram that was read at `read_s` may have waited; 0 where nothing stalled."""
        # after a stall this may run before the next beat
        if self._beat_s is not None:
            self.beat(now_s)
        began_s = [began_s for began_s, ended_s in self._stalls if began_s <= read_s <= ended_s + READ_S]
        return read_s - min(began_s, default=read_s)
