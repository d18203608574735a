"""What waits in memory to be written: the ledger without limit, points up to an age; samples that no ledger has yet.

Records and points are numbered, because the oldest may be dropped or spooled while a batch of them is written.
"""

from collections import deque
from collections.abc import Iterable

from msgspec import Struct

from iskra_server.history.model.records import MeterInfo, PointBlock, Record, merge_meter
from iskra_server.history.recording.waiting_samples import WaitingSample


class PendingBatch(Struct, frozen=True):
    """A snapshot of `Pending`; `ledger_end` and `points_end` number the first record and point that are not in it."""

    ledger: tuple[Record, ...]
    points: tuple[PointBlock, ...]
    meters: tuple[MeterInfo, ...]
    ledger_end: int = 0
    points_end: int = 0
    samples: tuple[WaitingSample, ...] = ()


class Pending:
    """Not thread-safe: the writer holds its lock."""

    def __init__(self) -> None:
        self._ledger: deque[Record] = deque()
        self._points: deque[tuple[float, PointBlock]] = deque()
        self._meters: dict[str, MeterInfo] = {}
        self._samples: list[WaitingSample] = []
        # the numbers of the oldest in `_ledger` and `_points`
        self._first_record = self._first_point = 0

    def __bool__(self) -> bool:
        return bool(self._ledger or self._points or self._meters)

    @property
    def ledger(self) -> int:
        """How many records."""
        return len(self._ledger)

    @property
    def telegrams(self) -> int:
        """How many telegrams in the points."""
        return sum(block.count for _, block in self._points)

    @property
    def samples(self) -> int:
        return len(self._samples)

    def add(self, records: Iterable[Record], meter: MeterInfo, now_s: float) -> None:
        merge_meter(self._meters, meter)
        for record in records:
            if isinstance(record, PointBlock):
                self._points.append((now_s, record))
            else:
                self._ledger.append(record)

    def add_samples(self, samples: Iterable[WaitingSample]) -> None:
        self._samples += samples

    def add_batch(self, batch: PendingBatch, now_s: float) -> None:
        """What was pending in another writer."""
        self._ledger.extend(batch.ledger)
        self._points.extend((now_s, block) for block in batch.points)
        for info in batch.meters:
            merge_meter(self._meters, info)
        self._samples += batch.samples

    def pop_samples(self) -> list[WaitingSample]:
        samples, self._samples = self._samples, []
        return samples

    def drop_before(self, moment_s: float) -> int:
        """Drop the points that were added before a moment; returns the number of telegrams in them."""
        dropped = 0
        while self._points and self._points[0][0] < moment_s:
            dropped += self._points.popleft()[1].count
            self._first_point += 1
        return dropped

    def batch(self) -> PendingBatch:
        """A snapshot of everything; it stays pending until it is removed."""
        return PendingBatch(
            tuple(self._ledger),
            tuple(block for _, block in self._points),
            tuple(self._meters.values()),
            self._first_record + len(self._ledger),
            self._first_point + len(self._points),
            tuple(self._samples),
        )

    def remove_written(self, batch: PendingBatch) -> None:
        """Remove the records and points of a batch that is in the database, but not what was added since."""
        while self._first_record < batch.ledger_end:
            self._ledger.popleft()
            self._first_record += 1
        while self._first_point < batch.points_end:
            self._points.popleft()
            self._first_point += 1
        # a meter that was seen again since then is not equal any more
        self._meters = {name: info for name, info in self._meters.items() if info not in batch.meters}

    def remove_spooled(self, batch: PendingBatch) -> None:
        """Remove a batch that is on the disk, its samples included."""
        self.remove_written(batch)
        del self._samples[: len(batch.samples)]
