"""The routes of a centre, under /api/v1/fleet: meters, groups, what a group took together, readers, a month as CSV.

Lists go page by page: `next` of an answer is the `after` of the next question. Nothing is counted through.
"""

import asyncio
import csv
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from iskra_server.history.energy import BucketLength, edges
from iskra_server.history.errors import StoreError
from iskra_server.history.records import QUARTER_S, quarter_of
from iskra_server.meter.exact import Instant, Number, instant, local, number
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import scaled
from iskra_server.web.gate import GROUPS
from iskra_server.web.headers import NO_STORE
from iskra_server.web.history import OPENING
from iskra_server.web.problem import problem
from iskra_server.web.question import Misuse, Question

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.fleet import Group, Within
    from iskra_server.history.reads import Reads

DEFAULT_LIMIT, MAX_LIMIT = 50, 1000
MAX_BUCKETS = 3_000
# a reader tells of every quarter; one that is late by two of them is silent
SILENT_S = 2 * QUARTER_S
IMPORT, EXPORT = Obis.parse("1.8.0"), Obis.parse("2.8.0")
COLUMNS = ("meter", "register", "time", "value_wh", "quality", "epoch")
_QUALITIES = ("measured", "interpolated")
_AT_ONCE = 4
_LINES = 1000


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


Asked = TypeVar("Asked")
Endpoint = Callable[[Request], Awaitable[Response]]
Answer = Callable[["Reads", Question, "Within"], Struct]


class Fleet:
    """The endpoints. `reads` gives None while the database is not open; `sentence` then says why, if it is known."""

    def __init__(self, *, reads: Callable[[], "Reads | None"], sentence: Callable[[], str], tz: str) -> None:
        self._reads = reads
        self._sentence = sentence
        self._tz = tz
        self._threads = ThreadPoolExecutor(_AT_ONCE, "fleet")
        self.meters = self._endpoint(meters_of, ("after", "limit", "group", "find"))
        self.groups = self._endpoint(groups_of, ("kind", "after", "limit"))
        self.energy = self._endpoint(energy_of, ("group", "from", "to", "bucket", "tz"))
        self.readers = self._endpoint(readers_of, ("after", "limit"))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def export(self, request: Request) -> Response:
        """A month of a group, one row a register and quarter, as it is read from the database."""

        def begin(reads: "Reads", question: Question, within: "Within") -> Iterator[str]:
            return rows_of(reads, _needed_group(question), question, within)

        started = await self._asked(request, ("group", "from", "to", "tz"), begin)
        if isinstance(started, Response):
            return started
        headers = {"content-disposition": 'attachment; filename="quarters.csv"', **NO_STORE}
        return StreamingResponse(self._parts(started), headers=headers, media_type="text/csv; charset=utf-8")

    async def _parts(self, lines: Iterator[str]) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        while part := await loop.run_in_executor(self._threads, _some, lines):
            yield part

    def _endpoint(self, answer: Answer, names: Sequence[str]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            found = await self._asked(request, names, answer)
            if isinstance(found, Response):
                return found
            return Response(msgspec.json.encode(found), headers=NO_STORE, media_type="application/json")

        return endpoint

    async def _asked(
        self, request: Request, names: Sequence[str], answer: Callable[["Reads", Question, "Within"], Asked]
    ) -> Asked | Response:
        reads = self._reads()
        if reads is None:
            return problem(503, self._sentence() or OPENING, reason="no_history")
        loop = asyncio.get_running_loop()
        try:
            question = Question(request.query_params, names, now=datetime.now(UTC), tz=self._tz)
            return await loop.run_in_executor(self._threads, answer, reads, question, _within(request))
        except Misuse as misuse:
            text = str(misuse)
            return problem(400, f"{text[0].upper()}{text[1:]}.", reason="misuse")
        except StoreError as error:
            return problem(503, str(error), reason="no_history")


def meters_of(reads: "Reads", question: Question, within: "Within") -> FleetMeters:
    from iskra_server.history import fleet  # noqa: PLC0415

    group = _group(question)
    limit = question.whole("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
    find = question.get("find") or ""
    found, last = fleet.meters(reads, limit=limit, after=_place(question), group=group, find=find, within=within)
    now_s = int(time.time())
    return FleetMeters([_shown(each, now_s) for each in found], f"{last[0]}-{last[1]}" if last else None)


def groups_of(reads: "Reads", question: Question, within: "Within") -> FleetGroups:
    from iskra_server.history import fleet  # noqa: PLC0415

    kind = question.get("kind") or "building"
    limit = question.whole("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
    found = fleet.groups(reads, kind, limit=limit, after=question.get("after") or "", within=within)
    groups = [FleetGroup(value, count) for value, count in found]
    return FleetGroups(kind, groups, groups[-1].value if len(groups) == limit else None)


def energy_of(reads: "Reads", question: Question, within: "Within") -> FleetEnergy:
    from iskra_server.history import fleet  # noqa: PLC0415

    group, length = _needed_group(question), _bucket(question)
    begin, end = question.period()
    at = edges(begin, end, length, question.tz)
    if len(at) - 1 > MAX_BUCKETS:
        raise Misuse(f"that are {len(at) - 1:,} buckets, {MAX_BUCKETS:,} are the most; ask for longer ones")
    sums = [fleet.energy(reads, group, obis, at, within) for obis in (IMPORT, EXPORT)]
    return FleetEnergy(
        group=f"{group.kind}:{group.value}",
        tz=question.tz.key,
        bucket=length,
        import_meters=fleet.size(reads, group, IMPORT, within),
        export_meters=fleet.size(reads, group, EXPORT, within),
        buckets=[
            FleetBucket(
                begin=local(drawn.begin * QUARTER_S, question.tz),
                end=local(drawn.end * QUARTER_S, question.tz),
                import_wh=UNSET if drawn.energy is None else number(drawn.energy),
                import_meters=drawn.meters,
                export_wh=UNSET if fed.energy is None else number(fed.energy),
                export_meters=fed.meters,
            )
            for drawn, fed in zip(*sums, strict=True)
        ],
    )


def readers_of(reads: "Reads", question: Question, within: "Within") -> FleetReaders:
    from iskra_server.history import fleet  # noqa: PLC0415

    limit = question.whole("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
    now_s = time.time()
    readers = [
        FleetReader(
            row.name,
            instant(datetime.fromtimestamp(row.at_s, UTC)),
            now_s - row.at_s > SILENT_S,
            row.ok,
            row.sentence,
            msgspec.Raw(row.status.encode()),
        )
        for row in fleet.readers(reads, limit=limit, after=question.get("after") or "")
    ]
    return FleetReaders(readers, readers[-1].name if len(readers) == limit else None)


def rows_of(reads: "Reads", group: "Group", question: Question, within: "Within" = None) -> Iterator[str]:
    """Lines of CSV: local time with its offset, exact Wh."""
    from iskra_server.history import fleet  # noqa: PLC0415

    begin, end = question.period()
    first, last = quarter_of(begin.timestamp()), quarter_of(end.timestamp())
    yield _line(COLUMNS)
    for row in fleet.quarters(reads, group, first, last, within):
        at = local(row.quarter * QUARTER_S, question.tz)
        yield _line((row.meter_id, str(row.obis), at, f"{row.value:f}", _QUALITIES[row.quality], str(row.epoch)))


def _within(request: Request) -> "Within":
    """The groups that the token of this request may see; None is everything."""
    from iskra_server.history.fleet import Group  # noqa: PLC0415

    groups = request.scope.get(GROUPS)
    return None if groups is None else [Group(*each) for each in groups]


def _some(lines: Iterator[str]) -> str:
    return "".join(line for _, line in zip(range(_LINES), lines, strict=False))


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


def _place(question: Question) -> tuple[int, int] | None:
    text = question.get("after")
    if not text:
        return None
    at_s, _, meter = text.partition("-")
    if not (at_s.isdigit() and meter.isdigit() and len(text) < 40):
        raise Misuse(f"'after={text[:40]}' is not a place; take the `next` of an answer")
    return int(at_s), int(meter)


def _group(question: Question) -> "Group | None":
    from iskra_server.history.fleet import Group  # noqa: PLC0415

    text = question.get("group")
    if text is None:
        return None
    kind, colon, value = text.partition(":")
    if not (kind and colon and value):
        raise Misuse(f"'group={text[:40]}' is not a group; say it like building:7")
    return Group(kind, value)


def _needed_group(question: Question) -> "Group":
    group = _group(question)
    if group is None:
        raise Misuse("'group' is missing; say it like building:7")
    return group


def _bucket(question: Question) -> BucketLength:
    text = question.get("bucket") or "day"
    lengths: tuple[BucketLength, ...] = get_args(BucketLength)
    for length in lengths:
        if length == text:
            return length
    raise Misuse(f"'bucket={text[:40]}' is not known; known are {', '.join(lengths)}")
