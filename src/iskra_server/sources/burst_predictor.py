"""How long a serial line need not be read while a telegram is arriving.

A meter sends a burst of some hundred bytes back to back, then nothing for a second or more. Waking up for every byte
costs 50 times the CPU time of decoding the telegram; waking up every few milliseconds delivers its end late. But bursts
of one meter are nearly equally long, and no byte comes faster than the wire carries it: sleep until the last bytes of
the expected length can have arrived, then read byte by byte.
"""

# longer than any pause within a telegram, shorter than any between two
SILENCE_S = 0.1
# telegrams are longer; shorter bursts are noise
MIN_BURST = 64
# read the last bytes one by one: so many, and as many as the lengths of the last two bursts differed by
TAIL = 2
# a shorter delay saves nothing
MIN_DELAY_S = 0.002
# limits how late a telegram is that is cut off
MAX_DELAY_S = 0.5
# slower than this part of the wire's speed: the burst has pauses, or has ended; faster than its inverse: no wire (USB)
SAME_SPEED = 0.8


class BurstPredictor:
    """Learns the length of the bursts on a line at `baud` (8N1: ten bits a byte)."""

    def __init__(self, baud: int) -> None:
        self._byte_s = 10 / baud
        self._expected = self._tail = 0
        self._first = self._byte_count = 0
        self._began_s = self._last_s = self._awake_s = float("-inf")

    def delay_s(self, byte_count: int, now_s: float) -> float:
        """`byte_count` bytes were read at `now_s`: read the next ones after so many seconds; 0: as they arrive."""
        if now_s - self._awake_s > SILENCE_S:
            self._learn()
            self._first, self._byte_count, self._began_s = byte_count, 0, now_s
        self._byte_count += byte_count
        sent_s = (self._byte_count - self._first) * self._byte_s
        # after the first read, an adapter may hold back as many bytes as it delivers at once
        held_back = self._first if sent_s else 0
        delay_s = (self._expected - self._byte_count - self._tail - held_back) * self._byte_s
        if delay_s < MIN_DELAY_S or sent_s < SAME_SPEED * (now_s - self._began_s):
            delay_s = 0.0
        # noise has ended by then
        delay_s = min(delay_s, MAX_DELAY_S, MAX_DELAY_S if sent_s else MIN_BURST * self._byte_s)
        self._last_s, self._awake_s = now_s, now_s + delay_s
        return delay_s

    def _learn(self) -> None:
        """The length of the burst that has ended."""
        if self._byte_count < MIN_BURST:
            return
        self._tail = TAIL + abs(self._byte_count - self._expected)
        is_wire = self._last_s - self._began_s >= SAME_SPEED * (self._byte_count - self._first) * self._byte_s
        self._expected = self._byte_count if is_wire else 0
