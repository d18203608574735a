"""When a telegram arrived: by the wall clock, which can be set, and by boot time, which shows that it was set."""

from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.history.model.records import QUARTER_S
from iskra_server.meter.reading import Sample

SECOND_US = 1_000_000
QUARTER_US = QUARTER_S * SECOND_US
# between two telegrams, wall clock and boot time may drift apart by so much before the wall clock counts as set
CLOCK_STEP_S = 1.0

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(Struct, frozen=True, gc=False):
    """`at_us` is Unix time in microseconds; `monotonic_s` is None for a moment before a restart."""

    at_us: int
    monotonic_s: float | None

    @property
    def quarter(self) -> int:
        return self.at_us // QUARTER_US


def moment_of(sample: Sample) -> Moment:
    return Moment((sample.received_at - _EPOCH) // _MICROSECOND, sample.monotonic_s)


def redated(sample: Sample, ahead_s: float) -> Sample:
    """The sample with the wall time of its boot time, where the wall clock is `ahead_s` ahead of boot time."""
    at_us = round((sample.monotonic_s + ahead_s) * SECOND_US)
    return replace(sample, received_at=_EPOCH + timedelta(microseconds=at_us))


def is_same_clock(before: Moment, after: Moment) -> bool:
    """Whether the clock was not set between two moments; over a restart that is not known, and assumed."""
    if before.monotonic_s is None or after.monotonic_s is None:
        return True
    passed_s = (after.at_us - before.at_us) / SECOND_US
    return abs(passed_s - (after.monotonic_s - before.monotonic_s)) <= CLOCK_STEP_S
