"""Samples that cannot be recorded yet, few enough to wait for a day: no database was open, or the clock is in doubt.

Under a clock that is believed it is known where the quarters begin: the first and the last sample of each suffice.
Otherwise a quarter may begin anywhere, and one sample in half a minute waits, which still frames it closely. When
there are too many, every second one of the older goes: what they frame is then interpolated over a longer time.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain

from iskra_server.history.model.moment import moment_of, redated
from iskra_server.meter.reading import Sample

EVERY_S = 30.0
# of one meter: ten weeks of the two around each quarter, four days of one in half a minute; and of all meters
MOST, MAX_OF_ALL = 13_440, 100_000


# a sample, and whether the clock was believed when it arrived
Waited = tuple[Sample, bool]


class Waiting:
    """Of all meters; whether the clock was believed when a sample arrived is kept with it."""

    def __init__(self) -> None:
        self._samples: dict[str, list[tuple[Sample, bool]]] = {}

    def __bool__(self) -> bool:
        return bool(self._samples)

    def __len__(self) -> int:
        return sum(map(len, self._samples.values()))

    def add(self, sample: Sample, *, is_believed: bool) -> None:
        waiting = self._samples.setdefault(sample.reading.meter_id, [])
        if len(waiting) > 1 and waiting[-1][1] is waiting[-2][1] is is_believed:
            before, last = (each for each, _ in waiting[-2:])
            frames = _is_one_quarter if is_believed else _are_near
            if frames(before, last, sample):
                waiting.pop()
        waiting.append((sample, is_believed))
        if len(waiting) > min(MOST, MAX_OF_ALL // len(self._samples)):
            del waiting[1 : len(waiting) // 2 : 2]

    def restore(self, waited: Iterable[Waited]) -> None:
        """What had been given away by `give`."""
        for sample, is_believed in waited:
            self._samples.setdefault(sample.reading.meter_id, []).append((sample, is_believed))

    def give(self) -> list[Waited]:
        """In the order of their arrival; then none waits."""
        given = self._in_order()
        self._samples.clear()
        return given

    def samples(self) -> list[Sample]:
        """In the order of their arrival."""
        return [sample for sample, _ in self._in_order()]

    def take(self, now: datetime, ahead_s: float) -> list[Sample]:
        """Each at its moment, by a wall clock that is so far ahead of boot time; then none waits."""
        return [
            sample if is_believed and sample.received_at <= now else redated(sample, ahead_s)
            for sample, is_believed in self.give()
        ]

    def drop_doubtful(self) -> int:
        """Nobody can say any more when those arrived that came under a doubtful clock; says how many."""
        before = len(self.samples())
        kept = {name: [each for each in waiting if each[1]] for name, waiting in self._samples.items()}
        self._samples = {name: waiting for name, waiting in kept.items() if waiting}
        return before - len(self.samples())

    def _in_order(self) -> list[tuple[Sample, bool]]:
        return sorted(chain.from_iterable(self._samples.values()), key=lambda each: each[0].monotonic_s)


def _is_one_quarter(*samples: Sample) -> bool:
    return len({moment_of(sample).quarter for sample in samples}) == 1


def _are_near(before: Sample, _last: Sample, sample: Sample) -> bool:
    return sample.monotonic_s - before.monotonic_s < EVERY_S
