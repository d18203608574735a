"""The records that history keeps. A quarter (of an hour) is a number: Unix seconds // 900.

A counter is kept as the meter sent it, an integer and a power of ten; energy is the difference of two of them.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import scaled

QUARTER_S = 900
# the largest integer that a database column of 8 bytes holds
INT64_MAX = 2**63 - 1
# 2000-01-01: an earlier moment comes from a clock that was not set
EARLIEST_S = 946_684_800
# two right clocks may differ by so much
CLOCK_TOLERANCE_S = 60
# the two telegrams around the beginning of a quarter: at most so far apart its reading is measured, or interpolated.
# Some meters send their counters every 15 minutes (and a bit), others every hour, some seconds after the full one
MEASURED_WITHIN_S = 60.0
INTERPOLATED_WITHIN_S = 960.0
HOURLY_WITHIN_S = 3660.0
# no block of points is longer: a query for a moment looks so far back for the block that holds it
MAX_BLOCK_S = 3600

Quality = Literal["measured", "interpolated"]
# as a database and messages between servers hold it: the place in this tuple
QUALITIES: tuple[Quality, ...] = ("measured", "interpolated")


class Exact(Struct, frozen=True, order=False):
    """raw x 10^scaler, in Wh for energy."""

    raw: int
    scaler: int

    @property
    def decimal(self) -> Decimal:
        return scaled(self.raw, self.scaler)


class QuarterReading(Struct, frozen=True):
    """What a counter showed at the beginning of a quarter."""

    meter_id: str
    obis: Obis
    quarter: int
    value: Exact
    quality: Quality
    epoch: int = 0


class PowerQuarter(Struct, frozen=True):
    """Power in the quarter that begins at `quarter`, in mW, + import, - export; `mean_mw` is weighted by time."""

    meter_id: str
    quarter: int
    min_mw: int
    mean_mw: int
    max_mw: int
    count: int


class EpochStart(Struct, frozen=True):
    """A counter restarted: it showed `before` last and `after` first. No energy is counted between the two."""

    meter_id: str
    obis: Obis
    epoch: int
    at_s: int
    before: Exact | None
    after: Exact


class PointBlock(Struct, frozen=True, rename={"data": "octets"}):
    """The numbers of `count` telegrams of a meter from `first_s` to `last_s` (Unix seconds), packed (points.py).

    Power is in mW, its mean over the telegrams; None where they have no power.
    """

    meter_id: str
    first_s: int
    last_s: int
    count: int
    data: bytes
    min_mw: int | None = None
    mean_mw: int | None = None
    max_mw: int | None = None


class PowerBlock(Struct, frozen=True, gc=False):
    """The power of a block of points in mW, without its telegrams; times in Unix seconds."""

    first_s: int
    last_s: int
    min_mw: int
    mean_mw: int
    max_mw: int


class MeterInfo(Struct, frozen=True):
    """A meter that history knows, first and last seen in Unix seconds; `server_id` is hex text.

    `port` is where it was read last; empty where that is not known, as at a central server.
    """

    meter_id: str
    server_id: str
    simulated: bool
    first_s: int
    last_s: int
    replaced_by: str | None = None
    port: str = ""


def merge_meter(meters: dict[str, MeterInfo], info: MeterInfo) -> None:
    """Add a meter, or extend the time in which it was seen."""
    earlier = meters.get(info.meter_id, info)
    first_s, last_s = min(earlier.first_s, info.first_s), max(earlier.last_s, info.last_s)
    meters[info.meter_id] = replace(info, first_s=first_s, last_s=last_s)


class LastCounter(Struct, frozen=True):
    """The newest value that history holds of a counter, with its epoch; a restart continues from it."""

    meter_id: str
    obis: Obis
    value: Exact
    at_s: int
    epoch: int


class ClockStep(Struct, frozen=True):
    """The wall clock was set: it shows `to_s` where `from_s` was expected (Unix seconds).

    Rows later than `to_s` that history holds when this is written come from a clock that ran ahead.
    """

    from_s: int
    to_s: int
    reason: str


Record = QuarterReading | PowerQuarter | EpochStart | PointBlock | ClockStep


def start_s(record: Record) -> int:
    """When the time that a record describes begins, in Unix seconds."""
    match record:
        case QuarterReading() | PowerQuarter():
            return record.quarter * QUARTER_S
        case EpochStart():
            return record.at_s
        case PointBlock():
            return record.first_s
        case ClockStep():
            return record.to_s


def quarter_of(unix_s: float) -> int:
    """The quarter that a moment lies in."""
    return int(unix_s // QUARTER_S)


def quarter_from(unix_s: float) -> int:
    """The first quarter that begins at a moment, or after it."""
    return int(-(-unix_s // QUARTER_S))


def seen_by(info: MeterInfo, records: Iterable[Record]) -> MeterInfo:
    """A meter, first seen not later than its readings among these records: they are not sought before that."""
    quarters = (record.quarter for record in records if isinstance(record, QuarterReading))
    first_s = min((quarter * QUARTER_S for quarter in quarters), default=info.first_s)
    return replace(info, first_s=first_s) if first_s < info.first_s else info
