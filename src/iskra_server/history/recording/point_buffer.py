"""Collects the points of each meter until a block of them is complete."""

from collections.abc import Iterator

from iskra_server.history.model.power_ledger import HOLDS_US
from iskra_server.history.model.records import PointBlock
from iskra_server.history.points.points import MAX_POINTS, Point, block_of

_MS = 1000
_HOLDS_MS = HOLDS_US // _MS
# the first blocks of meters have this many lengths
_STAGGER = 64


class PointBuffer:
    """A block spans at most `flush_s`."""

    def __init__(self, flush_s: float) -> None:
        self._flush_ms = flush_s * _MS
        self._points: dict[str, list[Point]] = {}
        self._spans_ms: dict[str, float] = {}

    def add(self, meter_id: str, point: Point) -> list[PointBlock]:
        """Returns the block that is complete without this point, if one is."""
        points = self._points.setdefault(meter_id, [])
        # staggered, so that the blocks of a thousand meters are not all packed in the same second
        share = 1 - len(self._spans_ms) % _STAGGER / _STAGGER
        span_ms = self._spans_ms.setdefault(meter_id, self._flush_ms * share)
        blocks = []
        if points and self._is_complete(points, point, span_ms):
            blocks.append(block_of(meter_id, points))
            points = self._points[meter_id] = []
            self._spans_ms[meter_id] = self._flush_ms
        points.append(point)
        return blocks

    def keep_last(self, meter_id: str, point: Point) -> None:
        """Instead of `add`, where only the last point is stored, to continue from after a restart."""
        self._points[meter_id] = [point]

    def shift(self, after_ms: float, by_ms: int) -> None:
        """Move the points of meters whose newest is later than `after_ms`: the clock that dated them was wrong."""
        for points in self._points.values():
            if points[-1].at_ms > after_ms:
                points[:] = [Point(point.at_ms + by_ms, point.registers) for point in points]

    def incomplete_blocks(self) -> Iterator[PointBlock]:
        return (block_of(meter_id, points) for meter_id, points in self._points.items())

    def _is_complete(self, points: list[Point], point: Point, span_ms: float) -> bool:
        """It spans the flush interval, a gap in reception follows (a block must not hide one), or it is full."""
        return (
            abs(point.at_ms - points[0].at_ms) >= span_ms
            or abs(point.at_ms - points[-1].at_ms) > _HOLDS_MS
            or len(points) == MAX_POINTS
        )
