"""How well telegrams arrive, second by second: what a person watches who moves the head by a millimetre.

Pure: the time is passed in, on any clock that only grows.
"""

from array import array

from msgspec import Struct

# what the hand that moves a head can wait for
ALIGN_S = 10
# what a verdict rests on: one damaged telegram says nothing
VERDICT_S = 300
SLOT_S = 300
SLOTS = 86_400 // SLOT_S
_MOST = 2**16 - 1
_VALID, _DAMAGED, _CUT, _BYTES, _FRAMING, _OVERRUNS = range(_KINDS := 6)
# a telegram that has just begun says nothing of how many bytes a second there are
RATE_S = 20


class StreamQuality(Struct, frozen=True):
    """What arrived within the last `seconds`. `share` is that of the whole telegrams, 0..1, None if none began.

    framing, overruns  bytes without a stop bit, and moments at which one had no room, as the driver counts them;
                       None where it does not tell
    bytes_per_s       from the first byte within these seconds on, None for the first 20 s of them
    """

    seconds: int
    valid: int
    damaged: int
    cut: int
    byte_count: int
    valid_ratio: float | None
    framing: int | None = None
    overruns: int | None = None
    bytes_per_s: float | None = None


def bytes_per_s(byte_count: int, seconds: float) -> float | None:
    """None where too few seconds have gone by to tell."""
    return round(byte_count / seconds, 1) if seconds >= RATE_S else None


class Day(Struct, frozen=True):
    """Good and damaged telegrams by `slot_s` seconds, the oldest first; the last slot is the one that runs."""

    slot_s: int
    valid: list[int]
    damaged: list[int]


class Slots:
    """Counts by five minutes, for a day: what one looks at who asks when it began. One kilobyte, whatever comes."""

    def __init__(self) -> None:
        self._valid, self._damaged = (array("H", bytes(2 * SLOTS)) for _ in range(2))
        self._slot = 0

    def valid(self, now_s: float) -> None:
        self._count(self._valid, now_s)

    def damaged(self, now_s: float) -> None:
        self._count(self._damaged, now_s)

    def day(self, now_s: float) -> Day:
        self._turn(now_s)
        first = (self._slot + 1) % SLOTS
        valid, damaged = (list(counts[first:] + counts[:first]) for counts in (self._valid, self._damaged))
        return Day(SLOT_S, valid, damaged)

    def _count(self, counts: "array[int]", now_s: float) -> None:
        self._turn(now_s)
        place = self._slot % SLOTS
        counts[place] = min(counts[place] + 1, _MOST)

    def _turn(self, now_s: float) -> None:
        """Empty the slots that have begun since."""
        slot = int(now_s) // SLOT_S
        for new in range(max(self._slot + 1, slot - SLOTS + 1), slot + 1):
            self._valid[new % SLOTS] = self._damaged[new % SLOTS] = 0
        self._slot = max(self._slot, slot)


class Window:
    """Counts by the second, for five minutes. Noise between telegrams is no damage. Eight kilobytes, whatever comes."""

    def __init__(self) -> None:
        self._counts = [array("I", bytes(4 * VERDICT_S)) for _ in range(_KINDS)]
        self._sums = [0] * _KINDS
        # the one that runs, and the first one of the five minutes in which something was counted
        self._second = self._first = 0
        self._counts_errors = False

    def arrived(self, byte_count: int, now_s: float) -> None:
        self._count(_BYTES, byte_count, now_s)

    def erred(self, now_s: float, *, framing: int, overruns: int) -> None:
        """What the driver has counted since it was asked last; less than nothing where its counters began anew."""
        self._count(_FRAMING, max(framing, 0), now_s)
        self._count(_OVERRUNS, max(overruns, 0), now_s)
        self._counts_errors = True

    def valid(self, now_s: float) -> None:
        self._count(_VALID, 1, now_s)

    def damaged(self, now_s: float, *, is_cut: bool) -> None:
        self._count(_DAMAGED, 1, now_s)
        self._count(_CUT, is_cut, now_s)

    def quality(self, now_s: float, seconds: int) -> StreamQuality:
        """Of the last `seconds`, VERDICT_S at most, the one that runs now among them."""
        self._turn(int(now_s))
        first = max(self._first, self._second - seconds + 1)
        places = [second % VERDICT_S for second in range(first, self._second + 1)] if seconds < VERDICT_S else ()
        sums = [sum(map(counts.__getitem__, places)) for counts in self._counts] if places else self._sums
        while first < self._second and not self._has(first):
            first += 1
        valid, damaged, cut, byte_count, framing, overruns = sums
        return StreamQuality(
            seconds,
            valid,
            damaged,
            cut,
            byte_count,
            valid_ratio=round(valid / (valid + damaged), 4) if valid + damaged else None,
            framing=framing if self._counts_errors else None,
            overruns=overruns if self._counts_errors else None,
            bytes_per_s=bytes_per_s(byte_count, now_s - first if self._has(first) else 0),
        )

    def _count(self, kind: int, count: int, now_s: float) -> None:
        self._turn(int(now_s))
        self._counts[kind][self._second % VERDICT_S] += count
        self._sums[kind] += count

    def _turn(self, second: int) -> None:
        """Empty the seconds that have begun since."""
        for new in range(max(self._second + 1, second - VERDICT_S + 1), second + 1):
            for kind, counts in enumerate(self._counts):
                self._sums[kind] -= counts[new % VERDICT_S]
                counts[new % VERDICT_S] = 0
        self._second = max(self._second, second)
        oldest = self._second - VERDICT_S + 1
        self._first = max(self._first, oldest)
        while self._first < self._second and not self._has(self._first):
            self._first += 1

    def _has(self, second: int) -> bool:
        return any(counts[second % VERDICT_S] for counts in self._counts)
