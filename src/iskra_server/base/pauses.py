"""Pauses of this process: what arrived while it did not run is read afterwards, as if it had just come."""

import asyncio
import logging

from iskra_server.base.clock import boottime_s

# an event loop that did not run for FROZEN_S was paused; buffered bytes are read within BURST_S afterwards
BEAT_S, FROZEN_S, BURST_S = 1.0, 4.0, 2.0

log = logging.getLogger(__name__)


class PauseDetector:
    """Notices when this process did not run: stopped, machine paused, or event loop blocked.

    Bytes that are read right afterwards may have been buffered since the pause began.
    """

    def __init__(self) -> None:
        self._beat_s: float | None = None
        self._frozen: tuple[float, float] | None = None

    async def run(self) -> None:
        while True:
            self.beat(boottime_s())
            await asyncio.sleep(BEAT_S)

    def beat(self, now_s: float) -> None:
        if self._beat_s is not None and now_s - self._beat_s > FROZEN_S:
            log.warning(
                "This process did not run for %.0f s; data that arrived meanwhile is read now.", now_s - self._beat_s
            )
            self._frozen = self._beat_s, now_s
        self._beat_s = now_s

    def waited_since_s(self, now_s: float) -> float | None:
        """The boot time since when data read now may have been buffered; None where it arrived just now."""
        if self._beat_s is None:
            return None
        self.beat(now_s)
        if self._frozen and now_s - self._frozen[1] <= BURST_S:
            return self._frozen[0]
        return None
