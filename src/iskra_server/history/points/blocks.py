"""Blocks: some telegrams of a meter as history keeps them, packed, and their power beside them.

So a curve of a day needs not unpack a day. The mean is that of the telegrams, each of them the same.
"""

from collections.abc import Sequence

from iskra_server.history.model.power import power_mw
from iskra_server.history.model.records import PointBlock
from iskra_server.history.points.points import Point, pack

_MS = 1000


def block_of(meter_id: str, points: Sequence[Point]) -> PointBlock:
    """One to points.MAX_POINTS points, in the order in which they arrived."""
    first_s, last_s = sorted((points[0].at_ms // _MS, points[-1].at_ms // _MS))
    data = pack(points)
    power = [found for point in points if (found := power_mw(point.registers)) is not None]
    if not power:
        return PointBlock(meter_id, first_s, last_s, len(points), data)
    mean_mw = sum(power) // len(power)
    return PointBlock(meter_id, first_s, last_s, len(points), data, min(power), mean_mw, max(power))
