"""The power of single telegrams, of a virtual meter from those of its parts."""

from collections.abc import Iterable

from iskra_server.history.model.records import PointBlock
from iskra_server.history.points.combined_power import combined_power
from iskra_server.history.points.curve import PowerValues, TimeSpan, power_of_telegrams
from iskra_server.history.store.recorded_meter import RecordedMeter, VirtualRecordedMeter


def telegram_power(meter: RecordedMeter, blocks: Iterable[PointBlock], period: TimeSpan) -> PowerValues:
    """`blocks` are those of the meter in the period. Raises ValueError where one is damaged, and StoreError."""
    if isinstance(meter, VirtualRecordedMeter):
        parts = [(sign, power_of_telegrams(part.points_between(*period), period)) for sign, part in meter.parts]
        return combined_power(parts, meter.stale_after_s)
    return power_of_telegrams(blocks, period)
