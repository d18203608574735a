"""What the central server answers: meters, groups, the energy of a group, readers, quarter readings as CSV.

Lists come in pages: `next` of one page is the `after` of the next request.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Struct, UnsetType

from iskra_server.base.csv_lines import csv_line
from iskra_server.base.json_values import Instant, Number, instant, number, optional
from iskra_server.base.legal_note import LEGAL_NOTE
from iskra_server.history.model.energy import BucketLength
from iskra_server.history.model.periods import quarter_instant
from iskra_server.history.model.records import QUALITIES, QUARTER_S, quarter_of
from iskra_server.meter.obis import EXPORT, IMPORT
from iskra_server.meter.reading import scaled
from iskra_server.web.http.query import BadRequest, Query, whole_number

if TYPE_CHECKING:
    # for their types alone: they bring the database library along
    from iskra_server.fleet.central.bucket_sum import Completeness
    from iskra_server.fleet.central.group_sums import GroupSum
    from iskra_server.fleet.central.label_periods import Group, Within
    from iskra_server.fleet.central.queries import FleetMeter, GroupQuarter
    from iskra_server.fleet.central.reader_state import ReaderRow
    from iskra_server.history.store.reads import Reads

DEFAULT_LIMIT, MAX_LIMIT = 50, 1000
DEFAULT_KIND = "building"
MAX_BUCKETS = 3_000
# counter readings that are read for one answer, of each counter
MAX_READINGS = 10_000_000
# a reader reports after every quarter; two quarters late is silent
SILENT_S = 2 * QUARTER_S
# readers send a quarter within this time; until then the sum of a group would lack most of its meters
SETTLED_S = 300
_INT32_MAX = _NO_END = 2**31 - 1
COLUMNS = ("meter", "register", "time", "value_wh", "quality", "epoch", "note")


class FleetMeterAnswer(Struct, frozen=True, kw_only=True):
    """A meter. `silent`: nothing was received from it for two quarter-hours; then its power is not shown.

    `replaced_by`: the meter that took its place; absent if none did.
    """

    id: str
    reader: str
    last_seen: Instant
    age_s: int
    silent: bool
    power_w: Number | UnsetType = UNSET
    replaced_by: str | UnsetType = UNSET
    labels: dict[str, str]


class FleetMeters(Struct, frozen=True):
    """The meter that has been silent longest comes first. Meters that were replaced are only found by their number."""

    meters: list[FleetMeterAnswer]
    next: str | None


class FleetGroup(Struct, frozen=True, kw_only=True):
    """`meters` counts those that are in the group now; `begin` and `end` say from when until when any is, if known."""

    value: str
    meters: int
    begin: Instant | UnsetType = UNSET
    end: Instant | UnsetType = UNSET


class FleetGroups(Struct, frozen=True):
    kind: str
    groups: list[FleetGroup]
    next: str | None


class SumCompleteness(Struct, frozen=True, kw_only=True):
    """How complete a sum is. Each counts only while it is in the group, and until now.

    `meters`: those with such a register, a meter and those that it replaced as one. `complete`: those with a reading
    at both ends. `quarters`: their quarter-hours. `measured`: those with a reading at both ends; absent where they are
    too many to count. `estimated`: those of the measured ones that rest on an interpolated reading.
    """

    meters: int
    complete: int
    quarters: int
    measured: int | UnsetType = UNSET
    estimated: int | UnsetType = UNSET


class FleetBucket(Struct, frozen=True, kw_only=True):
    """The sum of what was measured inside; absent if nothing was. `*_completeness` say what it lacks."""

    begin: Instant
    end: Instant
    import_wh: Number | UnsetType = UNSET
    import_completeness: SumCompleteness
    export_wh: Number | UnsetType = UNSET
    export_completeness: SumCompleteness


class FleetEnergy(Struct, frozen=True, kw_only=True):
    """`import_completeness` and `export_completeness` are of the whole period.

    `complete` are then all meters but the most that are incomplete in one bucket.

    `members_begin` and `members_end`: from when until when any meter is in the group; absent if always. `has_tenants`:
    of a building, whether a meter had a tenant in the period, who gets a statement. `note` says what the sums are not
    for.
    """

    group: str
    tz: str
    bucket: BucketLength
    members_begin: Instant | UnsetType = UNSET
    members_end: Instant | UnsetType = UNSET
    has_tenants: bool | UnsetType = UNSET
    import_completeness: SumCompleteness
    export_completeness: SumCompleteness
    buckets: list[FleetBucket]
    note: str


class FleetReader(Struct, frozen=True, kw_only=True):
    """The last status of a reader; `sentence` is its first problem, `sentence_de` the same in German.

    `meters` counts those whose values it delivers.
    `version` is that of its program, `skew_s` its clock less that of the central server. `waiting` quarter-hours have
    not been confirmed, and `refused` cannot be stored. Absent: it does not say.
    """

    name: str
    last_seen: Instant
    silent: bool
    ok: bool
    sentence: str
    sentence_de: str
    meters: int
    version: str | UnsetType = UNSET
    skew_s: int | UnsetType = UNSET
    waiting: int | UnsetType = UNSET
    refused: int | UnsetType = UNSET
    sources: msgspec.Raw


class FleetReaders(Struct, frozen=True):
    """`conflicts` counts all values that differ from the ones that were kept (`iskra-server fleet conflicts`)."""

    readers: list[FleetReader]
    conflicts: int
    next: str | None


def meters_of(reads: "Reads", query: Query, within: "Within") -> FleetMeters:
    from iskra_server.fleet.central import queries  # noqa: PLC0415

    now_s = int(query.now.timestamp())
    meters, last = queries.meters(
        reads,
        limit=_limit(query),
        now=quarter_of(now_s),
        after=_place(query),
        group=_group(query),
        find=query.get("find") or "",
        within=within,
    )
    return FleetMeters([_meter(meter, now_s) for meter in meters], f"{last[0]}-{last[1]}" if last else None)


def groups_of(reads: "Reads", query: Query, within: "Within") -> FleetGroups:
    from iskra_server.fleet.central import queries  # noqa: PLC0415

    kind, limit, now = query.get("kind") or DEFAULT_KIND, _limit(query), query.quarter
    after, find = query.get("after") or "", query.get("find") or ""
    sizes = queries.groups(reads, kind, limit=limit, now=now, after=after, find=find, within=within)
    groups = [
        FleetGroup(
            value=size.value,
            meters=size.meters,
            begin=_edge(size.from_quarter, query.tz),
            end=_edge(size.to_quarter, query.tz),
        )
        for size in sizes
    ]
    return FleetGroups(kind, groups, groups[-1].value if len(groups) == limit else None)


def energy_of(reads: "Reads", query: Query, within: "Within") -> FleetEnergy:
    from iskra_server.fleet.central.group_sums import group_energies  # noqa: PLC0415
    from iskra_server.fleet.central.label_periods import count_labels, group_spans  # noqa: PLC0415

    group = required_group(query)
    length, edges = query.buckets(MAX_BUCKETS)
    readings = count_labels(reads, group, edges[0], edges[-1], within) * len(edges)
    if readings > MAX_READINGS:
        raise BadRequest(
            f"this needs {readings:,} meter readings, and the maximum is {MAX_READINGS:,}; "
            "ask for a smaller group, a shorter period or longer buckets"
        )
    first, end = group_spans(reads, [group], within).get(group, (0, _NO_END))
    until = quarter_of(query.now.timestamp() - SETTLED_S)
    imported, exported = group_energies(reads, group, (IMPORT, EXPORT), edges, within, until=until)
    return FleetEnergy(
        group=f"{group.kind}:{group.value}",
        tz=query.tz.key,
        bucket=length,
        members_begin=_edge(first, query.tz),
        members_end=_edge(end, query.tz),
        has_tenants=_has_tenants(reads, group, edges, query.quarter, within),
        import_completeness=_completeness(imported.completeness),
        export_completeness=_completeness(exported.completeness),
        buckets=[_bucket(*pair, query.tz) for pair in zip(imported.buckets, exported.buckets, strict=True)],
        note=LEGAL_NOTE["en"],
    )


def _has_tenants(reads: "Reads", group: "Group", edges: Sequence[int], now: int, within: "Within") -> bool | UnsetType:
    from iskra_server.fleet.central.common_groups import each_group_among  # noqa: PLC0415

    if group.kind != DEFAULT_KIND:
        return UNSET
    begin, end = edges[0], max(min(edges[-1], now), edges[0])
    return any(each_group_among(reads, group, "tenant", begin, end, within=within))


def readers_of(reads: "Reads", query: Query, _within: "Within") -> FleetReaders:
    from iskra_server.fleet.central.conflicts import count_conflicts  # noqa: PLC0415
    from iskra_server.fleet.central.reader_state import list_readers  # noqa: PLC0415

    rows, following = list_readers(reads, limit=_limit(query), after=query.get("after") or "")
    now_s = query.now.timestamp()
    return FleetReaders([_reader(row, now_s) for row in rows], count_conflicts(reads), following)


def _reader(row: "ReaderRow", now_s: float) -> FleetReader:
    from iskra_server.fleet.central.reader_problems import last_state, problem  # noqa: PLC0415

    wrong = problem(row, now_s)
    state = wrong or last_state(row.sentence, row.status)
    known = {name: getattr(row, name) for name in ("version", "skew_s", "waiting", "refused")}
    return FleetReader(
        name=row.name,
        last_seen=_instant(row.at_s),
        silent=now_s - row.at_s > SILENT_S,
        ok=wrong is None,
        sentence=str(state.en),
        sentence_de=str(state.de),
        meters=row.meters,
        sources=msgspec.Raw(row.status.encode()),
        **{name: value for name, value in known.items() if value is not None},
    )


def csv_lines(reads: "Reads", query: Query, within: "Within") -> Iterator[str]:
    """Read from the database while the lines are consumed: local time with its offset, exact Wh.

    Only the first row has the note, which is longer than a row.
    """
    from iskra_server.fleet.central import queries  # noqa: PLC0415

    rows = queries.quarters(reads, required_group(query), *query.quarters(), within)
    notes = chain([LEGAL_NOTE["en"]], repeat(""))
    cells = ((*_cells(row, query.tz), note) for row, note in zip(rows, notes, strict=False))
    return map(csv_line, chain([COLUMNS], cells))


def _bucket(imported: "GroupSum", exported: "GroupSum", tz: ZoneInfo) -> FleetBucket:
    return FleetBucket(
        begin=quarter_instant(imported.begin, tz),
        end=quarter_instant(imported.end, tz),
        import_wh=optional(imported.energy),
        import_completeness=_completeness(imported.completeness),
        export_wh=optional(exported.energy),
        export_completeness=_completeness(exported.completeness),
    )


def _edge(quarter: int, tz: ZoneInfo) -> Instant | UnsetType:
    """The beginning or the end of a label; absent where it has none."""
    return quarter_instant(quarter, tz) if 0 < quarter < _NO_END else UNSET


def _completeness(sum_of: "Completeness") -> SumCompleteness:
    return SumCompleteness(
        meters=sum_of.meters,
        complete=sum_of.complete,
        quarters=sum_of.quarters,
        measured=UNSET if sum_of.measured is None else sum_of.measured,
        estimated=UNSET if sum_of.estimated is None else sum_of.estimated,
    )


def _cells(row: "GroupQuarter", tz: ZoneInfo) -> tuple[str, ...]:
    at, value = quarter_instant(row.quarter, tz), f"{row.value:f}"
    return row.meter_id, str(row.obis), at, value, QUALITIES[row.quality], str(row.epoch)


def _meter(meter: "FleetMeter", now_s: int) -> FleetMeterAnswer:
    silent = now_s - meter.last_s > SILENT_S
    return FleetMeterAnswer(
        id=meter.meter_id,
        reader=meter.reader,
        last_seen=_instant(meter.last_s),
        age_s=max(now_s - meter.last_s, 0),
        silent=silent,
        power_w=UNSET if silent or meter.power_mw is None else number(scaled(meter.power_mw, -3)),
        replaced_by=UNSET if meter.replaced_by is None else meter.replaced_by,
        labels=meter.labels,
    )


def _instant(at_s: int) -> Instant:
    return instant(datetime.fromtimestamp(at_s, UTC))


def _limit(query: Query) -> int:
    return query.integer("limit", default=DEFAULT_LIMIT, maximum=MAX_LIMIT)


def _place(query: Query) -> tuple[int, int] | None:
    """The place in the list of meters that `after` names."""
    text = query.get("after")
    if not text:
        return None
    quarter, _, meter = (whole_number(part, _INT32_MAX) for part in text.partition("-"))
    if quarter is None or meter is None:
        raise BadRequest(f"'after={text[:40]}' is not valid; take the `next` of an answer")
    return quarter, meter


def _group(query: Query) -> "Group | None":
    from iskra_server.fleet.central.label_periods import parse_group  # noqa: PLC0415

    text = query.get("group")
    if text is None:
        return None
    if (group := parse_group(text)) is None:
        raise BadRequest(f"'group={text[:40]}' is not a group; write it like building:7")
    return group


def required_group(query: Query) -> "Group":
    """Raises BadRequest."""
    group = _group(query)
    if group is None:
        raise BadRequest("'group' is missing; write it like building:7")
    return group
