"""How the quarters of a meter are sent that the central server did not keep: less often, and fewer at a time."""

from iskra_server.base.backoff import Backoff
from iskra_server.fleet.edge.uplink_queue import PARCEL


class MeterPace:
    """Of one meter. `at_most` quarters go into one message; nothing is sent before `retry_s` (Unix seconds).

    Fewer at a time, because one quarter may be the cause: that which is ahead of the clock of the central server, or
    holds what it cannot store. The others of its day arrive.
    """

    def __init__(self, first_s: float, max_s: float) -> None:
        self.at_most = PARCEL
        self.is_waiting = False
        self.retry_s = 0
        self._backoff = Backoff(first_s, max_s)

    @property
    def is_usual(self) -> bool:
        return self.at_most >= PARCEL and not self.is_waiting

    def keep(self) -> None:
        """The central server has kept a message."""
        self.at_most = min(PARCEL, 2 * self.at_most)
        self.is_waiting = False
        self._backoff.reset()

    def split(self, quarters: int) -> None:
        """It did not keep a message with so many quarters."""
        self.at_most = min(self.at_most, max(1, quarters // 2))

    def wait(self, now_s: float) -> None:
        """Until `retry_s`; several messages that were on their way together wait once."""
        if not self.is_waiting or now_s >= self.retry_s:
            self.retry_s = int(now_s + self._backoff.next_s()) + 1
        self.is_waiting = True
