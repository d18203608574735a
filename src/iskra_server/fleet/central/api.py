"""The routes of a central server, under /api/v1/fleet. answers.py has their content."""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from iskra_server.base.legal_note import LEGAL_NOTE
from iskra_server.fleet.central import answers
from iskra_server.fleet.central.statement_api import (
    EACH,
    FORMAT,
    FORMATS,
    LANGUAGE,
    MAX_DAYS,
    MAX_METERS,
    ZIP,
    statement_of,
    statements_of,
)
from iskra_server.web.http.endpoint import (
    BUCKET,
    TEXT,
    TIME_ZONE,
    Context,
    Endpoint,
    Parameter,
    Result,
    history_results,
    integer_parameter,
    period_parameters,
    read_history,
    read_store,
    too_many_requests,
)
from iskra_server.web.http.gate import GROUPS
from iskra_server.web.http.query import Query
from iskra_server.web.http.responses import JSON, NO_STORE
from iskra_server.web.http.share import Client, Threads, client_of

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.fleet.central.label_periods import Within
    from iskra_server.history.store.reads import Reads

_CSV = "text/csv; charset=utf-8"
_LINES = 1000
# each export takes some MB of memory, and lasts as long as its client reads
MAX_EXPORTS, MAX_EXPORTS_PER_CLIENT = 8, 4

Read = Callable[["Reads", Query, "Within"], Struct]
Respond = Callable[["Reads", Query, "Within"], Response]

_AFTER = Parameter("after", "the `next` of the previous page", TEXT)
_GROUP = Parameter("group", "kind and value, such as building:7", TEXT)
_LIMIT = integer_parameter("limit", "number of rows per page", answers.DEFAULT_LIMIT, answers.MAX_LIMIT)


def _endpoint(name: str, summary: str, result: Result, read: Read, parameters: tuple[Parameter, ...]) -> Endpoint:
    # encode in the thread too: a page may be long
    def respond(reads: "Reads", query: Query, within: "Within") -> Response:
        return Response(msgspec.json.encode(read(reads, query, within)), headers=NO_STORE, media_type=JSON)

    return _file_endpoint(name, summary, result, respond, parameters)


def _file_endpoint(
    path: str, summary: str, result: Result, respond: Respond, parameters: tuple[Parameter, ...]
) -> Endpoint:
    async def handler(context: Context, request: Request) -> Response:
        within = _within(request)
        return await read_history(context, request, parameters, lambda reads, query: respond(reads, query, within))

    name = f"fleet_{path.partition('.')[0]}"
    return Endpoint(f"/api/v1/fleet/{path}", name, summary, history_results(result), handler, parameters)


def _within(request: Request) -> "Within":
    """The groups that the request's token gives access to; None: everything."""
    groups = request.scope.get(GROUPS)
    if groups is None:
        return None
    from iskra_server.fleet.central.label_periods import Group  # noqa: PLC0415

    return [Group(kind, value) for kind, value in groups]


async def _export(context: Context, request: Request) -> Response:
    """Streams CSV while it is read from the database."""
    client, exports, within = client_of(request.scope), context.exports, _within(request)
    if len(exports) >= MAX_EXPORTS or exports.count(client) >= MAX_EXPORTS_PER_CLIENT:
        sentence = f"At most {MAX_EXPORTS} exports run at once, {MAX_EXPORTS_PER_CLIENT} of them for one client"
        return too_many_requests(f"{sentence}; try again when one has ended.")

    def begin(reads: "Reads", query: Query) -> tuple[str, Iterator[str]]:
        """The first part, so that a database error becomes an error response, and the remaining lines."""
        lines = answers.csv_lines(reads, query, within)
        return _part(lines), lines

    # count it before the first query: meanwhile other requests would see the same free place
    exports.append(client)
    begun: tuple[str, Iterator[str]] | Response | None = None
    try:
        begun = await read_store(context, request, _EXPORT_PARAMETERS, begin)
    finally:
        if not isinstance(begun, tuple):
            exports.remove(client)
    if isinstance(begun, Response):
        return begun
    return _ExportResponse(_parts(context.threads, client, *begun), client, exports)


async def _parts(threads: Threads, client: Client, first: str, lines: Iterator[str]) -> AsyncIterator[str]:
    part = first
    while part:
        yield part
        part = await threads.run(client, None, partial(_part, lines))


def _part(lines: Iterator[str]) -> str:
    return "".join(islice(lines, _LINES))


class _ExportResponse(StreamingResponse):
    """Removes its client from `exports` at its end, also if the client disconnects."""

    def __init__(self, parts: AsyncIterator[str], client: Client, exports: list[Client]) -> None:
        headers = {"content-disposition": 'attachment; filename="quarters.csv"', **NO_STORE}
        super().__init__(parts, headers=headers, media_type=_CSV)
        self._client, self._exports = client, exports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] == "HEAD":
                await Response(headers=self.headers)(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)
        finally:
            self._exports.remove(self._client)


_STATEMENT_PARAMETERS = (_GROUP, *period_parameters(f"{MAX_DAYS:,} days", default="last_month"), TIME_ZONE)
_EXPORT_PARAMETERS = (_GROUP, *period_parameters(), TIME_ZONE)
ENDPOINTS = (
    _endpoint(
        "meters",
        "All meters of a central server, or those that are in a group now, the longest silent first, in pages. "
        "Replaced meters are only in the answer to `find`.",
        Result("a page of meters; `next` is the `after` of the next page", answers.FleetMeters),
        answers.meters_of,
        (_AFTER, _LIMIT, _GROUP, Parameter("find", "part of the meter's number", TEXT)),
    ),
    _endpoint(
        "groups",
        "The groups of a kind, such as building, tenant or tariff, with the number of their meters now.",
        Result("a page of groups", answers.FleetGroups),
        answers.groups_of,
        (
            *(Parameter("kind", f"kind of group; default: {answers.DEFAULT_KIND}", TEXT), _AFTER, _LIMIT),
            Parameter("find", "part of the group's name", TEXT),
        ),
    ),
    _endpoint(
        "energy",
        "Energy from and to the grid of all meters of a group in buckets of local time, exact in Wh; each sum says how "
        "complete it is. A meter counts while it is in the group.",
        Result(
            f"at most {answers.MAX_BUCKETS:,} buckets, of at most {answers.MAX_READINGS:,} meter readings",
            answers.FleetEnergy,
        ),
        answers.energy_of,
        (_GROUP, *period_parameters(), BUCKET, TIME_ZONE),
    ),
    _endpoint(
        "readers",
        "The status of every reader, with its first problem.",
        Result("a page of readers, by name", answers.FleetReaders),
        answers.readers_of,
        (_AFTER, _LIMIT),
    ),
    Endpoint(
        "/api/v1/fleet/quarters.csv",
        "fleet_quarters",
        "All counters of a group in 15-minute steps, while each is in the group, both ends included. Columns: "
        f"{', '.join(answers.COLUMNS)}. {LEGAL_NOTE['en']}",
        history_results(Result("the rows", str, _CSV)),
        _export,
        _EXPORT_PARAMETERS,
    ),
    _file_endpoint(
        "statement",
        "A statement of a group as a file to print or as CSV: readings, energy and what is missing of each meter and "
        f"month, while it is in the group. {LEGAL_NOTE['en']}",
        Result(f"the file, of at most {MAX_METERS} meters", str, "text/html", "text/csv"),
        statement_of,
        (*_STATEMENT_PARAMETERS, FORMAT, LANGUAGE),
    ),
    _file_endpoint(
        "statements.zip",
        f"The statements of all tenants of a house, each for his own time, as one ZIP file. {LEGAL_NOTE['en']}",
        Result(f"the archive, of at most {MAX_METERS} meters", msgspec.Raw, ZIP),
        statements_of,
        (*_STATEMENT_PARAMETERS, EACH, FORMATS, LANGUAGE),
    ),
)
