"""What is not written yet: the ledger whole, points for as long as they may wait.

Points are numbered, as the oldest may be dropped while a batch of them is being written.
"""

from collections import deque
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.history.records import MeterInfo, PointBlock, Record


class Batch(Struct, frozen=True):
    """What is pending at one moment; `end` is the number after the last of its points."""

    ledger: tuple[Record, ...]
    points: tuple[PointBlock, ...]
    meters: tuple[MeterInfo, ...]
    end: int


class Pending:
    """Not safe for threads: the writer holds its lock."""

    def __init__(self) -> None:
        self._ledger: list[Record] = []
        self._points: deque[tuple[float, PointBlock]] = deque()
        self._meters: dict[str, MeterInfo] = {}
        # the number of the first of the points
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

    def add(self, records: Iterable[Record], seen: MeterInfo, now_s: float) -> None:
        known = self._meters.get(seen.meter_id, seen)
        first_s, last_s = min(known.first_s, seen.first_s), max(known.last_s, seen.last_s)
        self._meters[seen.meter_id] = replace(seen, first_s=first_s, last_s=last_s)
        for record in records:
            if isinstance(record, PointBlock):
                self._points.append((now_s, record))
            else:
                self._ledger.append(record)

    def drop_before(self, moment_s: float) -> int:
        """Drop the points that were added before a moment; says how many telegrams."""
        dropped = 0
        while self._points and self._points[0][0] < moment_s:
            dropped += self._points.popleft()[1].count
            self._first += 1
        return dropped

    def batch(self) -> Batch:
        """Everything; it stays pending until it is written."""
        points = tuple(block for _, block in self._points)
        return Batch(tuple(self._ledger), points, tuple(self._meters.values()), self._first + len(points))

    def written(self, batch: Batch) -> None:
        """Forget a batch, but not what was added since."""
        del self._ledger[: len(batch.ledger)]
        while self._first < batch.end:
            self._points.popleft()
            self._first += 1
        # a meter that was seen again since is another value
        self._meters = {name: info for name, info in self._meters.items() if info not in batch.meters}
