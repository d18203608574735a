"""Tells old telegrams that a bridge serves in turn from new ones: the meter's own time goes back in them.

    own time    100  102  104  106  108  100  102  104  106  108  100 ...    five old answers, again and again
    counts       x    x    x    x    x    -    -    -    -    -    -

A meter that was restarted, or whose clock was set back, looks the same at first. But its time goes on rising, so it is
believed after BELIEVED_S without another step back. Whatever a bridge keeps, it does not keep telegrams of so long.
"""

from iskra_server.codecs.decoder import DECODERS
from iskra_server.codecs.detecting import DetectingDecoder
from iskra_server.meter.reading import MeterTime, Reading

BELIEVED_S = 300.0


class ServedTimes:
    """Of one bridge. Telegrams without a time of their own, and encrypted ones, are always new."""

    def __init__(self) -> None:
        self._decoder = DetectingDecoder(DECODERS)
        self._newest: MeterTime | None = None
        # since when an earlier time has been rising, and its last value
        self._rising_s: float | None = None
        self._last = 0

    def is_old(self, telegram: bytes, now_s: float) -> bool:
        """Whether a telegram that is served at `now_s` is earlier than one that was served before."""
        readings = (item for item in self._decoder.feed(telegram) if isinstance(item, Reading))
        times = [item.meter_time for item in readings if item.meter_time and not item.channel]
        return bool(times) and self._is_old(times[-1], now_s)

    def _is_old(self, time: MeterTime, now_s: float) -> bool:
        newest = self._newest
        is_back = newest is not None and newest.kind == time.kind and time.seconds < newest.seconds
        # the newest one of those that go round is as old as they
        is_again = newest is not None and self._rising_s is not None and time.seconds == newest.seconds
        if not (is_back or is_again):
            self._newest, self._rising_s = time, None
            return False
        if self._rising_s is None or time.seconds < self._last:
            self._rising_s = now_s
        self._last = time.seconds
        if now_s - self._rising_s < BELIEVED_S:
            return True
        self._newest, self._rising_s = time, None
        return False
