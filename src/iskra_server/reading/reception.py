"""What arrives from one source: counts of bytes, telegrams and damage, the newest bytes, and a guess what they are.

Pure: times are passed in, on any clock that never goes back.
"""

from array import array
from collections import Counter

from msgspec import Struct

from iskra_server.diagnosis.facts import CHECK_S, StreamQuality, UnreadableTelegram, bytes_per_s
from iskra_server.diagnosis.stream_guess import MAX_BYTES, StreamGuess, recognise
from iskra_server.meter.reading import UNREADABLE, Fault
from iskra_server.sources.source import Chunk, ReceivedWhileProbing

SLOT_S = 300
SLOTS = 86_400 // SLOT_S
_MAX_COUNT = 2**16 - 1
_VALID, _DAMAGED, _CUT, _BYTES, _FRAMING, _OVERRUNS, _UNREADABLE = range(_KINDS := 7)
# guess what the bytes are after so long without a telegram: several meters send every 10 s
_NO_TELEGRAM_S = 25.0
# twenty telegrams or more, for a support bundle; up to twice as much is held
RECENT_BYTES = 8192
# of a meter that is polled: its last whole list, also while the next one arrives (MT174: 9,522 bytes)
POLLED_BYTES = 20 * 1024


class ReceptionDay(Struct, frozen=True):
    """Valid and damaged telegrams by `slot_s` seconds, the oldest first; the last slot is not over yet."""

    slot_s: int
    valid: list[int]
    damaged: list[int]


class DayCounts:
    """Valid and damaged telegrams by five minutes, for a day: when did it begin? Takes 1 KB."""

    def __init__(self) -> None:
        self._valid, self._damaged = (array("H", bytes(2 * SLOTS)) for _ in range(2))
        self._slot = 0

    def count_valid(self, now_s: float) -> None:
        self._count(self._valid, now_s)

    def count_damaged(self, now_s: float) -> None:
        self._count(self._damaged, now_s)

    def day(self, now_s: float) -> ReceptionDay:
        self._advance(now_s)
        first = (self._slot + 1) % SLOTS
        valid, damaged = (list(counts[first:] + counts[:first]) for counts in (self._valid, self._damaged))
        return ReceptionDay(SLOT_S, valid, damaged)

    def _count(self, counts: "array[int]", now_s: float) -> None:
        self._advance(now_s)
        place = self._slot % SLOTS
        counts[place] = min(counts[place] + 1, _MAX_COUNT)

    def _advance(self, now_s: float) -> None:
        """Clear the slots that have begun since."""
        slot = int(now_s) // SLOT_S
        for new in range(max(self._slot + 1, slot - SLOTS + 1), slot + 1):
            self._valid[new % SLOTS] = self._damaged[new % SLOTS] = 0
        self._slot = max(self._slot, slot)


class SecondCounts:
    """Counts by the second, for five minutes: rings of 300 numbers, 8 KB. Noise between telegrams is no damage.

    With a deque of the counts of each second instead, a source would take 45 KB, a thousand sources 45 MB.
    """

    def __init__(self) -> None:
        self._counts = [array("I", bytes(4 * CHECK_S)) for _ in range(_KINDS)]
        # of all that are in the rings
        self._sums = [0] * _KINDS
        self._second = 0
        self._has_driver = False

    def count_bytes(self, byte_count: int, now_s: float) -> None:
        self._count(_BYTES, byte_count, now_s)

    def count_driver_errors(self, now_s: float, *, framing: int, overruns: int) -> None:
        """What the driver counted since the last call; below 0 where its counters started again."""
        self._count(_FRAMING, max(framing, 0), now_s)
        self._count(_OVERRUNS, max(overruns, 0), now_s)
        self._has_driver = True

    def count_valid(self, now_s: float) -> None:
        self._count(_VALID, 1, now_s)

    def count_damaged(self, now_s: float, *, is_cut: bool) -> None:
        self._count(_DAMAGED, 1, now_s)
        self._count(_CUT, is_cut, now_s)

    def count_unreadable(self, now_s: float) -> None:
        self._count(_UNREADABLE, 1, now_s)

    def quality(self, now_s: float, seconds: int) -> StreamQuality:
        """Of the last `seconds` (CHECK_S at most), including the current one."""
        self._advance(int(now_s))
        last_seconds = range(self._second - seconds + 1, self._second + 1)
        sums = self._sums
        if seconds < CHECK_S:
            begin = last_seconds.start % CHECK_S
            end, at_front = begin + seconds, max(begin + seconds - CHECK_S, 0)
            sums = [sum(counts[begin:end]) + sum(counts[:at_front]) for counts in self._counts]
        valid, damaged, cut, byte_count, framing, overruns, unreadable = sums
        first = next((second for second in last_seconds if self._counts[_BYTES][second % CHECK_S]), now_s)
        return StreamQuality(
            seconds,
            valid,
            damaged,
            cut,
            byte_count,
            valid_ratio=round(valid / (valid + damaged), 4) if valid + damaged else None,
            framing=framing if self._has_driver else None,
            overruns=overruns if self._has_driver else None,
            bytes_per_s=bytes_per_s(byte_count, now_s - first),
            unreadable=unreadable,
        )

    def _count(self, kind: int, count: int, now_s: float) -> None:
        self._advance(int(now_s))
        self._counts[kind][self._second % CHECK_S] += count
        self._sums[kind] += count

    def _advance(self, second: int) -> None:
        """Clear the seconds that have begun since."""
        for new in range(max(self._second + 1, second - CHECK_S + 1), second + 1):
            for kind, counts in enumerate(self._counts):
                self._sums[kind] -= counts[new % CHECK_S]
                counts[new % CHECK_S] = 0
        self._second = max(self._second, second)


class Reception:
    """Counts since the start. `data_at_s` and `telegram_at_s`: the last bytes and the last telegram, None before.

    A telegram without damage that cannot be used is `unreadable`, and no fault.
    """

    def __init__(self) -> None:
        self.byte_count = 0
        self.data_at_s: float | None = None
        self.telegrams = 0
        self.telegram_at_s: float | None = None
        self.faults: Counter[str] = Counter()
        self.unreadable: Counter[str] = Counter()
        self._last_unreadable: tuple[float, UnreadableTelegram] | None = None
        self._seconds = SecondCounts()
        self._day = DayCounts()
        # since the last telegram, and for a support bundle
        self._unexplained, self._recent = bytearray(), bytearray()
        # of how many bytes, and the guess
        self._guess: tuple[int, StreamGuess | None] = (0, None)

    def count_chunk(self, chunk: Chunk) -> None:
        if not chunk.data:
            # the outcome of a poll
            return
        self.byte_count += len(chunk.data)
        self.data_at_s = chunk.monotonic_s
        self._seconds.count_bytes(len(chunk.data), chunk.monotonic_s)
        if errors := chunk.errors:
            self._seconds.count_driver_errors(chunk.monotonic_s, framing=errors.framing, overruns=errors.overruns)
        self._recent += chunk.data
        kept = RECENT_BYTES if chunk.results is None else POLLED_BYTES
        if len(self._recent) > 2 * kept:
            del self._recent[:-kept]
        self._unexplained += chunk.data
        del self._unexplained[:-MAX_BYTES]

    def count_fault(self, fault: Fault, at_s: float) -> None:
        if fault.kind in UNREADABLE:
            self._count_unreadable(fault, at_s)
            return
        self.faults[fault.kind] += 1
        if fault.kind != "noise":
            self._seconds.count_damaged(at_s, is_cut=fault.kind in ("cut", "escape"))
            self._day.count_damaged(at_s)

    def count_telegram(self, at_s: float) -> None:
        self.telegrams += 1
        self.telegram_at_s = at_s
        self._seconds.count_valid(at_s)
        self._day.count_valid(at_s)
        self._unexplained.clear()

    def last_unreadable(self, now_s: float) -> UnreadableTelegram | None:
        """The latest unreadable telegram, None if it is older than CHECK_S."""
        if self._last_unreadable is None or now_s - self._last_unreadable[0] > CHECK_S:
            return None
        return self._last_unreadable[1]

    @property
    def recent_bytes(self) -> bytes:
        return bytes(self._recent)

    def day(self, now_s: float) -> ReceptionDay:
        return self._day.day(now_s)

    def quality(self, now_s: float, seconds: int) -> StreamQuality:
        return self._seconds.quality(now_s, seconds)

    def guess(self, now_s: float, probe: ReceivedWhileProbing) -> StreamGuess | None:
        """What the bytes without a telegram are, or those of a port that is probed; None while telegrams arrive."""
        unreadable_at_s = self._last_unreadable[0] if self._last_unreadable else None
        if any(at_s is not None and now_s - at_s < _NO_TELEGRAM_S for at_s in (self.telegram_at_s, unreadable_at_s)):
            return None
        byte_count = self.byte_count + probe.count
        if self._guess[0] != byte_count:
            self._guess = byte_count, recognise(probe.data or bytes(self._unexplained))
        return self._guess[1]

    def _count_unreadable(self, fault: Fault, at_s: float) -> None:
        self.unreadable[fault.kind] += 1
        self._last_unreadable = at_s, UnreadableTelegram(fault.kind, fault.detail, fault.meter_id, fault.elements)
        self._seconds.count_unreadable(at_s)
        self._unexplained.clear()


def quality_of_probe(probe: ReceivedWhileProbing) -> StreamQuality:
    """Of a port that is probed for a meter."""
    return StreamQuality(
        seconds=round(probe.seconds),
        valid=0,
        damaged=0,
        cut=0,
        byte_count=probe.count,
        valid_ratio=None,
        framing=probe.errors.framing if probe.errors else None,
        overruns=probe.errors.overruns if probe.errors else None,
        bytes_per_s=bytes_per_s(probe.count, probe.seconds),
    )
