"""What the routes of a centre answer: meters, groups, what a group took together, readers, a month as CSV.

Lists go page by page: `next` of an answer is the `after` of the next question. Nothing is counted through.
"""

import csv
import io
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, get_args
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.json_values import Instant, Number, instant, local, number
from iskra_server.history.model.energy import BucketLength
from iskra_server.history.model.records import INT64_MAX, QUALITIES, QUARTER_S, quarter_of
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.reading import scaled
from iskra_server.web.api.energy import quarters_at
from iskra_server.web.http.question import BadRequest, Query, whole_number

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.fleet.central.queries import Group, GroupQuarter, GroupSum, Within
    from iskra_server.history.store.reads import Reads

DEFAULT_LIMIT, MAX_LIMIT = 50, 1000
MAX_BUCKETS = 3_000
# of each counter: that many are read for one answer
MAX_READINGS = 10_000_000
# a reader tells of every quarter; one that is late by two of them is silent
SILENT_S = 2 * QUARTER_S
COLUMNS = ("meter", "register", "time", "value_wh", "quality", "epoch")


class FleetMeterAnswer(Struct, frozen=True, kw_only=True):
    """A meter at the centre; `silent`: nothing has come for two quarters, and its power is not shown then."""

    id: str
    reader: str
    last_heard: Instant
    age_s: int
    silent: bool
    power_w: Number | UnsetType = UNSET
    labels: dict[str, str]


class FleetMeters(Struct, frozen=True):
    """Who has been silent longest comes first."""

    meters: list[FleetMeterAnswer]
    next: str | None


class FleetGroup(Struct, frozen=True):
    value: str
    meters: int


class FleetGroups(Struct, frozen=True):
    kind: str
    groups: list[FleetGroup]
    next: str | None


class FleetBucket(Struct, frozen=True, kw_only=True):
    """A sum over those meters whose counter is known at both edges; without any there is no number."""

    begin: Instant
    end: Instant
    import_wh: Number | UnsetType = UNSET
    import_meters: int
    export_wh: Number | UnsetType = UNSET
    export_meters: int


class FleetEnergy(Struct, frozen=True, kw_only=True):
    """`import_meters` and `export_meters` count the meters of the group that have such a register."""

    group: str
    tz: str
    bucket: BucketLength
    import_meters: int
    export_meters: int
    buckets: list[FleetBucket]


class FleetReader(Struct, frozen=True):
    """A reader, when it said so, and what is wrong first."""

    name: str
    last_heard: Instant
    silent: bool
    ok: bool
    sentence: str
    sources: msgspec.Raw


class FleetReaders(Struct, frozen=True):
    readers: list[FleetReader]
    next: str | None


def meters_of(reads: "Reads", question: Query, within: "Within") -> FleetMeters:
    from iskra_server.fleet.central import queries as fleet  # noqa: PLC0415

    group = _group(question)
    limit = question.whole("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
    find = question.get("find") or ""
    found, last = fleet.meters(reads, limit=limit, after=_place(question), group=group, find=find, within=within)
    now_s = int(time.time())
    return FleetMeters([_shown(each, now_s) for each in found], f"{last[0]}-{last[1]}" if last else None)


def groups_of(reads: "Reads", question: Query, within: "Within") -> FleetGroups:
    from iskra_server.fleet.central import queries as fleet  # noqa: PLC0415

    kind = question.get("kind") or "building"
    limit = question.whole("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
    found = fleet.groups(reads, kind, limit=limit, after=question.get("after") or "", within=within)
    groups = [FleetGroup(value, count) for value, count in found]
    return FleetGroups(kind, groups, groups[-1].value if len(groups) == limit else None)


def energy_of(reads: "Reads", question: Query, within: "Within") -> FleetEnergy:
    from iskra_server.fleet.central import queries as fleet  # noqa: PLC0415

    group, length = _needed_group(question), _bucket(question)
    at = quarters_at(question.period(), length, question.tz, MAX_BUCKETS)
    readings = fleet.members(reads, group, within) * len(at)
    if readings > MAX_READINGS:
        raise BadRequest(
            f"that are {readings:,} meter readings, and {MAX_READINGS:,} are the most; "
            "ask for a smaller group, a shorter period or longer buckets"
        )

    def of(obis: Obis) -> "tuple[list[GroupSum], int]":
        return fleet.energy(reads, group, obis, at, within), fleet.size(reads, group, obis, within)

    # side by side: a database has more than one core, and most meters have both
    with ThreadPoolExecutor(2) as both:
        (import_sums, import_meters), (export_sums, export_meters) = both.map(of, (IMPORT, EXPORT))
    return FleetEnergy(
        group=f"{group.kind}:{group.value}",
        tz=question.tz.key,
        bucket=length,
        import_meters=import_meters,
        export_meters=export_meters,
        buckets=[
            FleetBucket(
                begin=local(imported.begin * QUARTER_S, question.tz),
                end=local(imported.end * QUARTER_S, question.tz),
                import_wh=UNSET if imported.energy is None else number(imported.energy),
                import_meters=imported.meters,
                export_wh=UNSET if exported.energy is None else number(exported.energy),
                export_meters=exported.meters,
            )
            for imported, exported in zip(import_sums, export_sums, strict=True)
        ],
    )


def readers_of(reads: "Reads", question: Query, within: "Within") -> FleetReaders:
    from iskra_server.fleet.central import queries as fleet  # noqa: PLC0415

    limit = question.whole("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
    now_s = time.time()
    found, following = fleet.readers(reads, limit=limit, after=question.get("after") or "")
    readers = [
        FleetReader(
            row.name,
            instant(datetime.fromtimestamp(row.at_s, UTC)),
            now_s - row.at_s > SILENT_S,
            row.ok,
            row.sentence,
            msgspec.Raw(row.status.encode()),
        )
        for row in found
    ]
    return FleetReaders(readers, following)


def rows_of(reads: "Reads", question: Query, within: "Within") -> Iterator[str]:
    """Lines of CSV, read from the database as they are taken: local time with its offset, exact Wh."""
    from iskra_server.fleet.central import queries as fleet  # noqa: PLC0415

    group, (begin, end) = _needed_group(question), question.period()
    found = fleet.quarters(reads, group, quarter_of(begin.timestamp()), quarter_of(end.timestamp()), within)
    return chain([_line(COLUMNS)], (_row(quarter, question.tz) for quarter in found))


def _row(found: "GroupQuarter", tz: ZoneInfo) -> str:
    at, value = local(found.quarter * QUARTER_S, tz), f"{found.value:f}"
    return _line((found.meter_id, str(found.obis), at, value, QUALITIES[found.quality], str(found.epoch)))


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _shown(found: object, now_s: int) -> FleetMeterAnswer:
    meter_id, reader, last_s, power_mw, labels = msgspec.structs.astuple(found)  # type: ignore[arg-type]
    silent = now_s - last_s > SILENT_S
    return FleetMeterAnswer(
        id=meter_id,
        reader=reader,
        last_heard=instant(datetime.fromtimestamp(last_s, UTC)),
        age_s=max(now_s - last_s, 0),
        silent=silent,
        power_w=UNSET if silent or power_mw is None else number(_watt(power_mw)),
        labels=labels,
    )


def _watt(power_mw: int) -> Decimal:
    return scaled(power_mw, -3)


def _place(question: Query) -> tuple[int, int] | None:
    text = question.get("after")
    if not text:
        return None
    at_s, _, meter = (whole_number(part, INT64_MAX) for part in text.partition("-"))
    if at_s is None or meter is None:
        raise BadRequest(f"'after={text[:40]}' is not a place; take the `next` of an answer")
    return at_s, meter


def _group(question: Query) -> "Group | None":
    from iskra_server.fleet.central.queries import Group  # noqa: PLC0415

    text = question.get("group")
    if text is None:
        return None
    kind, colon, value = text.partition(":")
    if not (kind and colon and value):
        raise BadRequest(f"'group={text[:40]}' is not a group; say it like building:7")
    return Group(kind, value)


def _needed_group(question: Query) -> "Group":
    group = _group(question)
    if group is None:
        raise BadRequest("'group' is missing; say it like building:7")
    return group


def _bucket(question: Query) -> BucketLength:
    text = question.get("bucket") or "day"
    lengths: tuple[BucketLength, ...] = get_args(BucketLength)
    for length in lengths:
        if length == text:
            return length
    raise BadRequest(f"'bucket={text[:40]}' is not known; known are {', '.join(lengths)}")
