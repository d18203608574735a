"""What is not written yet: the ledger whole, points for as long as they may wait; and what no ledger has taken yet.

Ledger and points are numbered, as the oldest may be dropped, or kept on the disk, while a batch of them is written.
"""

from collections import deque
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.history.model.records import MeterInfo, PointBlock, Record
from iskra_server.history.recording.waiting import WaitingSample


def merge_meter(meters: dict[str, MeterInfo], seen: MeterInfo) -> None:
    """A meter was seen, perhaps again."""
    known = meters.get(seen.meter_id, seen)
    first_s, last_s = min(known.first_s, seen.first_s), max(known.last_s, seen.last_s)
    meters[seen.meter_id] = replace(seen, first_s=first_s, last_s=last_s)


class PendingBatch(Struct, frozen=True):
    """What is pending at one moment; `ledger_end` and `end` number the first record and point that are not in it."""

    ledger: tuple[Record, ...]
    points: tuple[PointBlock, ...]
    meters: tuple[MeterInfo, ...]
    ledger_end: int = 0
    end: int = 0
    samples: tuple[WaitingSample, ...] = ()


class Pending:
    """Not safe for threads: the writer holds its lock."""

    def __init__(self) -> None:
        self._ledger: deque[Record] = deque()
        self._points: deque[tuple[float, PointBlock]] = deque()
        self._meters: dict[str, MeterInfo] = {}
        self._samples: list[WaitingSample] = []
        # the numbers of the first of the ledger, and of the points
        self._first_record = 0
        self._first = 0

    def __bool__(self) -> bool:
        return bool(self._ledger or self._points or self._meters)

    @property
    def ledger(self) -> int:
        """Records."""
        return len(self._ledger)

    @property
    def telegrams(self) -> int:
        """In the points."""
        return sum(block.count for _, block in self._points)

    @property
    def samples(self) -> int:
        return len(self._samples)

    def add(self, records: Iterable[Record], seen: MeterInfo, now_s: float) -> None:
        merge_meter(self._meters, seen)
        for record in records:
            if isinstance(record, PointBlock):
                self._points.append((now_s, record))
            else:
                self._ledger.append(record)

    def add_samples(self, samples: Iterable[WaitingSample]) -> None:
        """For a ledger that does not go on yet."""
        self._samples += samples

    def add_batch(self, batch: PendingBatch, now_s: float) -> None:
        """What was pending elsewhere."""
        self._ledger.extend(batch.ledger)
        self._points.extend((now_s, block) for block in batch.points)
        for info in batch.meters:
            merge_meter(self._meters, info)
        self._samples += batch.samples

    def pop_samples(self) -> list[WaitingSample]:
        """They are not pending any more."""
        samples, self._samples = self._samples, []
        return samples

    def drop_before(self, moment_s: float) -> int:
        """Drop the points that were added before a moment; says how many telegrams."""
        dropped = 0
        while self._points and self._points[0][0] < moment_s:
            dropped += self._points.popleft()[1].count
            self._first += 1
        return dropped

    def batch(self) -> PendingBatch:
        """Everything; it stays pending until it is written."""
        return PendingBatch(
            tuple(self._ledger),
            tuple(block for _, block in self._points),
            tuple(self._meters.values()),
            self._first_record + len(self._ledger),
            self._first + len(self._points),
            tuple(self._samples),
        )

    def written(self, batch: PendingBatch) -> None:
        """Forget the records and points of a batch, but not what was added since."""
        while self._first_record < batch.ledger_end:
            self._ledger.popleft()
            self._first_record += 1
        while self._first < batch.end:
            self._points.popleft()
            self._first += 1
        # a meter that was seen again since is another value
        self._meters = {name: info for name, info in self._meters.items() if info not in batch.meters}

    def kept(self, batch: PendingBatch) -> None:
        """Forget a batch that is on the disk, its samples included."""
        self.written(batch)
        del self._samples[: len(batch.samples)]
