"""The power of a virtual meter from the telegrams of its parts, by the rules of its live values.

Z1      x---------x---------x     A value where the newest powers of all parts belong together: the oldest one new,
Z2        y---------y---------y   not older than the limit, and the next ones not nearer.
"""

from collections.abc import Sequence
from itertools import pairwise

from iskra_server.history.points.curve import PowerValues
from iskra_server.meter.virtual_meter import belong_together

_MS = 1000


def combined_power(parts: Sequence[tuple[int, PowerValues]], stale_after_s: float) -> PowerValues:
    """`parts` are the signs and powers of the parts."""
    limit_ms = round(stale_after_s * _MS)
    intervals_s = [_usual_s(values.at_ms) for _, values in parts]
    events = sorted(
        (at_ms, part, power)
        for part, (sign, values) in enumerate(parts)
        for at_ms, power in zip(values.at_ms, (sign * power for power in values.power_mw), strict=True)
    )
    newest: list[int | None] = [None] * len(parts)
    powers = [0] * len(parts)
    combined = PowerValues([], [])
    published_ms = -1
    for at_ms, part, power in events:
        newest[part], powers[part] = at_ms, power
        moments = [moment for moment in newest if moment is not None]
        if len(moments) < len(parts):
            continue
        oldest_ms = min(moments)
        if oldest_ms <= published_ms or at_ms - oldest_ms > limit_ms:
            continue
        ages_s = ((at_ms - moment) / _MS for moment in moments)
        if published_ms < 0 or belong_together(ages_s, intervals_s[moments.index(oldest_ms)]):
            published_ms = oldest_ms
            combined.at_ms.append(at_ms)
            combined.power_mw.append(sum(powers))
    return combined


def _usual_s(at_ms: Sequence[int]) -> float | None:
    """The usual time between two telegrams, None with fewer than two."""
    steps = sorted(after - before for before, after in pairwise(at_ms))
    return steps[(len(steps) - 1) // 2] / _MS if steps else None
