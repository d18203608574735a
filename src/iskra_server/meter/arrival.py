"""When a telegram was sent, where it waited on its way: in the kernel while the process was frozen, in a bridge.

    meter's seconds   100  101  102  103  104 ... 150  151
    arrival             0    1    2  [        frozen ]  52: 103 ... 150   52: 151
    sent                0    1    2                      3     ...  50    51

A meter that counts its seconds says how long each telegram of such a burst has waited: by as much more as its seconds
lag behind those of the telegrams that came in time. It is heard only after its seconds have run as time does, and only
where they fell behind at once, as they do in a silence. A clock of a meter that was set back looks the same: that it
stays so tells it from a burst, which is over in a moment.
"""

from collections import deque

from iskra_server.meter.reading import MeterTime, Reading

# seconds are whole, and a telegram takes its time
SLACK_S = 3.0
# telegrams that came in time, for so long back
REMEMBERED_S = 60.0
# it takes no longer to read what has waited
BURST_S = 30.0
_HEALTHY_S = 5.0
_MAX_S = 6 * 3600.0


class Arrivals:
    """Of one source; begins anew with every other meter on it."""

    def __init__(self) -> None:
        self._meter_id = ""
        self._kind = ""
        # arrival and the meter's seconds, of those in time
        self._in_time: deque[tuple[float, int]] = deque(maxlen=512)
        self._last: tuple[float, int] | None = None
        self._late_since_s: float | None = None

    def delay_s(self, reading: Reading, at_s: float, waited_since_s: float | None = None) -> tuple[float, bool]:
        """How long the telegram has waited that was read at `at_s`, and whether that is known.

        `waited_since_s`: nothing was read for so long before, so that it may have waited since then.
        """
        time = reading.meter_time
        longest_s = 0.0 if waited_since_s is None else max(at_s - waited_since_s, 0.0)
        if time is None:
            return longest_s, waited_since_s is None
        if (reading.meter_id, time.kind) != (self._meter_id, self._kind):
            self._meter_id, self._kind = reading.meter_id, time.kind
            self._begin_anew()
        lag_s = self._lag_s(time, at_s)
        if lag_s is None:
            return longest_s, waited_since_s is None
        return lag_s, True

    def _lag_s(self, time: MeterTime, at_s: float) -> float | None:
        """None where the meter's seconds say nothing."""
        last, self._last = self._last, (at_s, time.seconds)
        if last is None or time.seconds < last[1]:
            self._begin_anew()
        lag_s = self._behind_s(time, at_s)
        if last is None or not self._is_healthy():
            self._came_in_time(time, at_s)
            return None
        # seconds that move in steps fall behind without a silence
        fell_behind = at_s - last[0] - max(time.seconds - last[1], 2 * self._usual_s()) > SLACK_S
        if SLACK_S < lag_s <= _MAX_S and (fell_behind or self._late_since_s is not None):
            self._late_since_s = at_s if self._late_since_s is None else self._late_since_s
            if at_s - self._late_since_s <= BURST_S:
                return lag_s
        if abs(lag_s) > SLACK_S:
            # the meter's clock was set
            self._begin_anew()
        self._came_in_time(time, at_s)
        return 0.0

    def _behind_s(self, time: MeterTime, at_s: float) -> float:
        """By how much the meter's seconds lag behind those of what came in time."""
        now_s = at_s - time.seconds
        return now_s - min((at - seconds for at, seconds in self._in_time), default=now_s)

    def _came_in_time(self, time: MeterTime, at_s: float) -> None:
        self._late_since_s = None
        self._in_time.append((at_s, time.seconds))
        while at_s - self._in_time[0][0] > REMEMBERED_S:
            self._in_time.popleft()

    def _is_healthy(self) -> bool:
        """Whether the meter's seconds have run as time does."""
        if len(self._in_time) < 3:
            return False
        (first_s, first), (last_s, last) = self._in_time[0], self._in_time[-1]
        return last_s - first_s >= _HEALTHY_S and abs((last_s - first_s) - (last - first)) <= SLACK_S

    def _usual_s(self) -> float:
        """The usual time between two telegrams that came in time."""
        return (self._in_time[-1][0] - self._in_time[0][0]) / (len(self._in_time) - 1)

    def _begin_anew(self) -> None:
        self._in_time.clear()
        self._late_since_s = None
