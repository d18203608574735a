"""How long a serial line may be left alone while a telegram is on its way.

A meter sends a burst of some hundred bytes back to back, then it is silent. To wake up for every byte would cost a
hundred times as much as to read the telegram. One burst is nearly as long as the one before, so that one tells what is
still to come: sleep nearly that long, then listen to the last bytes one by one, and see the end as it arrives.
"""

# longer than any pause within a telegram, shorter than any between two
SILENCE_S = 0.1
# telegrams have more; what is shorter is noise and teaches nothing
MIN_BURST = 64
# bytes that are awaited awake, beyond those by which the last two bursts differed
TAIL = 2
# how much earlier to look again than the last two bursts differed in time
CAUTION = 2
MIN_NAP_S = 0.002
# a telegram that ends early is late by this at most
MAX_NAP_S = 0.5
# what comes faster than a wire can carry it is no wire: then always listen
FASTEST = 0.8


class Rhythm:
    """Learns the length and the pace of bursts at `baud` (8N1: ten bits a byte)."""

    def __init__(self, baud: int) -> None:
        self._wire_s = self._byte_s = 10 / baud
        self._expected = self._tail = 0
        self._doubt = 0.0
        self._first = self._byte_count = 0
        self._began_s = self._heard_s = self._awake_s = float("-inf")
        self._slept = False

    def heard(self, byte_count: int, now_s: float) -> float:
        """`bytes` arrived at `now_s`; gives the seconds for which nobody needs to listen."""
        if now_s - self._awake_s > SILENCE_S:
            self._learn()
            self._first, self._byte_count, self._began_s = byte_count, 0, now_s
        self._byte_count += byte_count
        # bytes that were there at the end of a nap came at an unknown moment of it
        self._slept = self._awake_s > self._heard_s and now_s - self._awake_s < MIN_NAP_S
        nap_s = self._nap_s(now_s)
        self._heard_s, self._awake_s = now_s, now_s + nap_s
        return nap_s

    def _nap_s(self, now_s: float) -> float:
        # bytes may have waited for us, so the clock is asked too
        by_bytes = (self._expected - self._byte_count) * self._byte_s
        by_clock = self._began_s + (self._expected - self._first) * self._byte_s - now_s
        left_s = min(by_bytes, by_clock)
        nap_s = left_s * (1 - self._doubt) - self._tail * self._byte_s
        return min(nap_s, MAX_NAP_S) if nap_s >= MIN_NAP_S else 0.0

    def _learn(self) -> None:
        """From the burst that has ended; its end is known when we were awake then."""
        if self._byte_count < MIN_BURST:
            return
        self._tail = TAIL + abs(self._byte_count - self._expected)
        self._expected, before_s, self._byte_s = self._byte_count, self._byte_s, self._wire_s
        if not self._slept:
            self._byte_s = (self._heard_s - self._began_s) / max(1, self._byte_count - self._first)
        self._doubt = min(0.5, CAUTION * abs(self._byte_s - before_s) / self._wire_s)
        if self._byte_s < FASTEST * self._wire_s:
            self._expected = 0
