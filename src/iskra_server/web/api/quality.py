"""GET /api/v1/quality: how telegrams arrive right now, for who moves a head: to be asked once a second.

GET /api/v1/quality/day: how they have arrived since yesterday, for who asks when it began.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from msgspec import Struct, structs

from iskra_server.base.json_values import Instant, instant
from iskra_server.diagnosis.facts import ALIGN_S, StreamQuality
from iskra_server.diagnosis.status import Status
from iskra_server.reading.reception import ReceptionDay


class SourceQuality(StreamQuality, frozen=True, kw_only=True):
    """What one source gave within the last `seconds`; `meter_id` is null before its first telegram."""

    source: str
    port: str
    meter_id: str | None


class QualityList(Struct, frozen=True):
    sources: list[SourceQuality]


# each source with its day
Days = Callable[[], Iterable[tuple[str, ReceptionDay]]]


class SourceDay(ReceptionDay, frozen=True, kw_only=True):
    source: str


class QualityDays(Struct, frozen=True):
    """`at`: when the last slot of each source was counted; slots lie behind each other up to this moment."""

    at: Instant
    sources: list[SourceDay]


def quality_days(days: Iterable[tuple[str, ReceptionDay]]) -> QualityDays:
    return QualityDays(
        instant(datetime.now(UTC)), [SourceDay(**structs.asdict(day), source=source) for source, day in days]
    )


def quality_list(statuses: Sequence[Status]) -> QualityList:
    return QualityList([_of(status) for status in statuses])


def _of(status: Status) -> SourceQuality:
    now = status.facts.last_10s or StreamQuality(ALIGN_S, 0, 0, 0, 0, None)
    return SourceQuality(
        **structs.asdict(now),
        source=status.source,
        port=status.port,
        meter_id=status.meter_id,
    )
