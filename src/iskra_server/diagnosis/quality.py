"""How well telegrams arrive, second by second: what a person watches who moves the head by a millimetre.

Pure: the time is passed in, on any clock that only grows.
"""

from array import array
from collections import deque

from msgspec import Struct

# what the hand that moves a head can wait for
ALIGN_S = 10
# what a verdict rests on: one damaged telegram says nothing
VERDICT_S = 300
SLOT_S = 300
SLOTS = 86_400 // SLOT_S
_MOST = 2**16 - 1
# a telegram that has just begun says nothing of how many octets a second there are
RATE_S = 20


class Quality(Struct, frozen=True):
    """What arrived within the last `seconds`. `share` is that of the whole telegrams, 0..1, None if none began.

    framing, overruns  octets without a stop bit, and moments at which one had no room, as the driver counts them;
                       None where it does not tell
    octets_per_s       from the first octet within these seconds on, None for the first 20 s of them
    """

    seconds: int
    good: int
    damaged: int
    cut: int
    octets: int
    share: float | None
    framing: int | None = None
    overruns: int | None = None
    octets_per_s: float | None = None


def octets_per_s(octets: int, seconds: float) -> float | None:
    """None where too few seconds have gone by to tell."""
    return round(octets / seconds, 1) if seconds >= RATE_S else None


class Day(Struct, frozen=True):
    """Good and damaged telegrams by `slot_s` seconds, the oldest first; the last slot is the one that runs."""

    slot_s: int
    good: list[int]
    damaged: list[int]


class Slots:
    """Counts by five minutes, for a day: what one looks at who asks when it began. One kilobyte, whatever comes."""

    def __init__(self) -> None:
        self._good, self._damaged = (array("H", bytes(2 * SLOTS)) for _ in range(2))
        self._slot = 0

    def good(self, now_s: float) -> None:
        self._count(self._good, now_s)

    def damaged(self, now_s: float) -> None:
        self._count(self._damaged, now_s)

    def day(self, now_s: float) -> Day:
        self._turn(now_s)
        first = (self._slot + 1) % SLOTS
        good, damaged = (list(counts[first:] + counts[:first]) for counts in (self._good, self._damaged))
        return Day(SLOT_S, good, damaged)

    def _count(self, counts: "array[int]", now_s: float) -> None:
        self._turn(now_s)
        place = self._slot % SLOTS
        counts[place] = min(counts[place] + 1, _MOST)

    def _turn(self, now_s: float) -> None:
        """Empty the slots that have begun since."""
        slot = int(now_s) // SLOT_S
        for new in range(max(self._slot + 1, slot - SLOTS + 1), slot + 1):
            self._good[new % SLOTS] = self._damaged[new % SLOTS] = 0
        self._slot = max(self._slot, slot)


class Window:
    """Counts by the second, for five minutes. Noise between telegrams is no damage."""

    def __init__(self) -> None:
        # second, good, damaged, cut, octets, framing, overruns
        self._seconds: deque[list[int]] = deque()
        self._counts_errors = False

    def arrived(self, octets: int, now_s: float) -> None:
        self._at(now_s)[4] += octets

    def erred(self, now_s: float, *, framing: int, overruns: int) -> None:
        """What the driver has counted since it was asked last."""
        second = self._at(now_s)
        second[5] += framing
        second[6] += overruns
        self._counts_errors = True

    def good(self, now_s: float) -> None:
        self._at(now_s)[1] += 1

    def damaged(self, now_s: float, *, is_cut: bool) -> None:
        second = self._at(now_s)
        second[2] += 1
        second[3] += is_cut

    def quality(self, now_s: float, seconds: int) -> Quality:
        """Of the last `seconds`, the one that runs now among them."""
        recent = [counts for counts in self._seconds if counts[0] > int(now_s) - seconds]
        good, damaged, cut, octets, framing, overruns = (sum(counts[at] for counts in recent) for at in range(1, 7))
        return Quality(
            seconds,
            good,
            damaged,
            cut,
            octets,
            share=round(good / (good + damaged), 4) if good + damaged else None,
            framing=framing if self._counts_errors else None,
            overruns=overruns if self._counts_errors else None,
            octets_per_s=octets_per_s(octets, now_s - recent[0][0] if recent else 0),
        )

    def _at(self, now_s: float) -> list[int]:
        second = int(now_s)
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0, 0, 0, 0, 0, 0])
            while self._seconds[0][0] <= second - VERDICT_S:
                self._seconds.popleft()
        return self._seconds[-1]
