"""Samples that cannot be recorded yet: the database was never open, or the clock is not trusted. Few enough for days.

Under a trusted clock the quarters are known: the first and the last sample of each are enough. Otherwise a quarter may
begin anywhere, so one sample in half a minute waits. Above a limit every second one of the older half is dropped; the
ledger then interpolates over a longer time.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from iskra_server.history.model.moment import moment_of, redated
from iskra_server.meter.reading import Sample

EVERY_S = 30.0
# of one meter: ten weeks of two samples a quarter, or four days of one in half a minute; and of all meters
MAX_SAMPLES, MAX_OF_ALL = 13_440, 100_000


class WaitingSample(NamedTuple):
    """`is_trusted`: whether the clock was trusted when the sample arrived."""

    sample: Sample
    is_trusted: bool


class WaitingSamples:
    """Of all meters; every list that it returns is in the order of arrival."""

    def __init__(self) -> None:
        self._by_meter: dict[str, list[WaitingSample]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_meter.values()))

    def add(self, sample: Sample, *, is_trusted: bool) -> None:
        waiting = self._by_meter.setdefault(sample.reading.meter_id, [])
        if len(waiting) > 1 and waiting[-1].is_trusted is waiting[-2].is_trusted is is_trusted:
            before, last = (entry.sample for entry in waiting[-2:])
            is_redundant = _are_one_quarter(before, last, sample) if is_trusted else _are_near(before, sample)
            if is_redundant:
                waiting.pop()
        waiting.append(WaitingSample(sample, is_trusted))
        if len(waiting) > min(MAX_SAMPLES, MAX_OF_ALL // len(self._by_meter)):
            del waiting[1 : len(waiting) // 2 : 2]

    def restore(self, waiting: Iterable[WaitingSample]) -> None:
        """Add what `pop_all` returned."""
        for entry in waiting:
            self._by_meter.setdefault(entry.sample.reading.meter_id, []).append(entry)

    def pop_all(self) -> list[WaitingSample]:
        waiting = self._in_order()
        self._by_meter.clear()
        return waiting

    def samples(self) -> list[Sample]:
        return [entry.sample for entry in self._in_order()]

    def pop_dated(self, now: datetime, ahead_s: float) -> list[Sample]:
        """All samples; those of an untrusted clock are dated by boot time plus `ahead_s`."""
        return [
            sample if is_trusted and sample.received_at <= now else redated(sample, ahead_s)
            for sample, is_trusted in self.pop_all()
        ]

    def drop_untrusted(self) -> int:
        """Drop the samples of an untrusted clock, once nothing can date them any more; returns how many."""
        before = len(self)
        trusted = {name: [entry for entry in waiting if entry.is_trusted] for name, waiting in self._by_meter.items()}
        self._by_meter = {name: waiting for name, waiting in trusted.items() if waiting}
        return before - len(self)

    def _in_order(self) -> list[WaitingSample]:
        return sorted(chain.from_iterable(self._by_meter.values()), key=lambda entry: entry.sample.monotonic_s)


def _are_one_quarter(*samples: Sample) -> bool:
    return len({moment_of(sample).quarter for sample in samples}) == 1


def _are_near(before: Sample, sample: Sample) -> bool:
    return sample.monotonic_s - before.monotonic_s < EVERY_S
