"""When a telegram was sent that was buffered on its way: in the kernel while this process was paused, or in a bridge.

    meter's seconds   100  101  102  103  104 ... 150  151
    arrival             0    1    2  [        paused ]  52: 103 ... 150   52: 151
    sent                0    1    2                      3     ...  50    51

A meter that counts seconds shows how long each telegram of such a burst was buffered: its seconds lag behind those of
telegrams in time. They are used only after they have run at the speed of time, and only where they fell behind at once,
as they do during a pause. A meter clock that was set back looks the same, but stays so; a burst is over in a moment.
"""

from collections import deque

from iskra_server.meter.reading import MeterTime, Reading

# the meter's seconds are integers, and a telegram takes time on the wire
SLACK_S = 3.0
# of a delay that the meter's seconds tell: they may deviate by SLACK_S before a pause, and by as much after it
ACCURACY_S = 2 * SLACK_S
# how long telegrams in time are remembered
REMEMBERED_S = 60.0
# reading what was buffered takes no longer
BURST_S = 30.0
_RELIABLE_S = 5.0
_MAX_S = 6 * 3600.0


class Arrivals:
    """The arrivals of one source; a change of the meter resets them."""

    def __init__(self) -> None:
        self._meter_id = ""
        self._kind = ""
        # arrival and the meter's seconds of telegrams in time
        self._in_time: deque[tuple[float, int]] = deque(maxlen=512)
        self._last: tuple[float, int] | None = None
        self._late_since_s: float | None = None

    def delay_s(self, reading: Reading, at_s: float, waited_since_s: float | None = None) -> tuple[float, bool]:
        """How long the telegram read at `at_s` was buffered, and whether that is certain.

        `waited_since_s`: nothing was read since then, so it may have been buffered since then.
        """
        time = reading.meter_time
        longest_s = 0.0 if waited_since_s is None else max(at_s - waited_since_s, 0.0)
        if time is None:
            return longest_s, waited_since_s is None
        if (reading.meter_id, time.kind) != (self._meter_id, self._kind):
            self._meter_id, self._kind = reading.meter_id, time.kind
            self._reset()
        lag_s = self._lag_s(time, at_s)
        if lag_s is None:
            return longest_s, waited_since_s is None
        return lag_s, True

    def _lag_s(self, time: MeterTime, at_s: float) -> float | None:
        """None where the meter's seconds cannot be used."""
        last, self._last = self._last, (at_s, time.seconds)
        if last is None or time.seconds < last[1]:
            self._reset()
        lag_s = self._behind_s(time, at_s)
        if last is None or not self._is_reliable():
            self._add_in_time(time, at_s)
            return None
        # a meter whose seconds move in steps falls behind without a pause
        fell_behind = at_s - last[0] - max(time.seconds - last[1], 2 * self._usual_s()) > SLACK_S
        if SLACK_S < lag_s <= _MAX_S and (fell_behind or self._late_since_s is not None):
            self._late_since_s = at_s if self._late_since_s is None else self._late_since_s
            if at_s - self._late_since_s <= BURST_S:
                return lag_s
        if abs(lag_s) > SLACK_S:
            # the meter's clock was set
            self._reset()
        self._add_in_time(time, at_s)
        return 0.0

    def _behind_s(self, time: MeterTime, at_s: float) -> float:
        """By how much the meter's seconds lag behind those of telegrams in time."""
        now_s = at_s - time.seconds
        return now_s - min((at - seconds for at, seconds in self._in_time), default=now_s)

    def _add_in_time(self, time: MeterTime, at_s: float) -> None:
        self._late_since_s = None
        self._in_time.append((at_s, time.seconds))
        while at_s - self._in_time[0][0] > REMEMBERED_S:
            self._in_time.popleft()

    def _is_reliable(self) -> bool:
        """Whether the meter's seconds have run at the speed of time."""
        if len(self._in_time) < 3:
            return False
        (first_s, first), (last_s, last) = self._in_time[0], self._in_time[-1]
        return last_s - first_s >= _RELIABLE_S and abs((last_s - first_s) - (last - first)) <= SLACK_S

    def _usual_s(self) -> float:
        """The mean time between two telegrams in time."""
        return (self._in_time[-1][0] - self._in_time[0][0]) / (len(self._in_time) - 1)

    def _reset(self) -> None:
        self._in_time.clear()
        self._late_since_s = None
