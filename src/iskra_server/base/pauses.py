"""When this process did not run: what arrived meanwhile is read afterwards, as if it had just come.

    beats       |    |    |    |                    |    |    |    |
    process          runs      [   did not run      ]  runs
    telegram                       x - - - - - - - - > read: it may have come at any moment since the last beat

One beat serves every answer, because the wait is added where telegrams are read (reading/reader.py):

    stall, more than STALL_S    counts into the age of the reading, which every answer has. Recorded times are those of
                                reading: a busy machine stalls often, and they would be no better a second earlier.
    pause, more than PAUSE_S    counts into the recorded time, too (meter/arrival.py).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from iskra_server.base.clock import boottime_s

# a shorter wait is not noticed; each beat wakes the process, which takes a tenth of the time that a telegram takes
BEAT_S, STALL_S = 0.5, 0.6
# what came during a stall is read before the next beat, unless the loop stalls again at once: at most so often
_IN_A_ROW = 3
# what came during a pause is read within BURST_S after it
PAUSE_S, BURST_S = 4.0, 2.0
# bytes are processed within 10 s after they were read
_REMEMBERED = 16

log = logging.getLogger(__name__)


class _Stall(NamedTuple):
    """From the last of `beats_s`, the beat before it, to the beat after it; the others are of stalls just before it."""

    beats_s: tuple[float, ...]
    ended_s: float

    @property
    def began_s(self) -> float:
        return self.beats_s[-1]

    @property
    def is_pause(self) -> bool:
        return self.ended_s - self.began_s > PAUSE_S


class PauseDetector:
    """Notices when the event loop did not run: process stopped, machine paused, loop blocked. Times are boot time."""

    def __init__(self) -> None:
        self._beat_s: float | None = None
        self._stalls: deque[_Stall] = deque(maxlen=_REMEMBERED)

    async def run(self) -> None:
        while True:
            self.beat(boottime_s())
            await asyncio.sleep(BEAT_S)

    def beat(self, now_s: float) -> None:
        if stall := self._stall(now_s):
            if stall.is_pause:
                seconds = now_s - stall.began_s
                log.warning("This process did not run for %.0f s; data that arrived meanwhile is read now.", seconds)
            self._stalls.append(stall)
        self._beat_s = now_s

    def waited_since_s(self, read_s: float) -> float | None:
        """Since when data that was read at `read_s` may have waited; None where nothing stalled: it came then."""
        if (paused_since_s := self.paused_since_s(read_s)) is not None:
            return paused_since_s
        stalls = (stall for stall in self._newest(read_s) if stall.began_s <= read_s <= stall.ended_s + STALL_S)
        return next((stall.beats_s[0] for stall in stalls), None)

    def paused_since_s(self, read_s: float) -> float | None:
        """The same for pauses alone."""
        pauses = (stall for stall in self._newest(read_s) if stall.is_pause)
        return next((pause.began_s for pause in pauses if pause.began_s <= read_s <= pause.ended_s + BURST_S), None)

    def _stall(self, now_s: float) -> _Stall | None:
        """The one that ends now."""
        if self._beat_s is None or now_s - self._beat_s <= STALL_S:
            return None
        before = self._stalls[-1] if self._stalls else None
        beats_s = before.beats_s if before and before.ended_s == self._beat_s else ()
        return _Stall((*beats_s, self._beat_s)[-_IN_A_ROW:], now_s)

    def _newest(self, read_s: float) -> Iterator[_Stall]:
        # after a stall the reader may run before the next beat
        if stall := self._stall(read_s):
            yield stall
        yield from reversed(self._stalls)
