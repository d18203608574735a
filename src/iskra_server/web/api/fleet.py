"""The routes of a centre, under /api/v1/fleet: what they answer is in fleet_answers.py, here is how they are asked."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from iskra_server.web.api.fleet_answers import energy_of, groups_of, meters_of, readers_of, rows_of
from iskra_server.web.api.history import OPENING, answered, too_many
from iskra_server.web.http.gate import GROUPS
from iskra_server.web.http.headers import NO_STORE
from iskra_server.web.http.problem import problem
from iskra_server.web.http.question import Query
from iskra_server.web.http.share import Client, Threads, client_of

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.fleet.central.queries import Within
    from iskra_server.history.store.reads import Reads

_JSON = "application/json"
_LINES = 1000
# each holds some MB, and reads on for as long as its client takes
MAX_EXPORTS, MAX_EXPORTS_EACH = 8, 4

Asked = TypeVar("Asked")
Endpoint = Callable[[Request], Awaitable[Response]]
Answer = Callable[["Reads", Query, "Within"], Struct]


class Fleet:
    """The endpoints. `reads` gives None while the database is not open; `sentence` then says why, if it is known."""

    def __init__(
        self, *, reads: Callable[[], "Reads | None"], sentence: Callable[[], str], tz: str, threads: Threads
    ) -> None:
        self._reads = reads
        self._sentence = sentence
        self._tz = tz
        self._threads = threads
        self._exports: list[Client] = []
        self.meters = self._endpoint(meters_of, ("after", "limit", "group", "find"))
        self.groups = self._endpoint(groups_of, ("kind", "after", "limit"))
        self.energy = self._endpoint(energy_of, ("group", "from", "to", "bucket", "tz"))
        self.readers = self._endpoint(readers_of, ("after", "limit"))

    async def export(self, request: Request) -> Response:
        """A month of a group, one row a register and quarter, as it is read from the database."""
        client = client_of(request.scope)
        if len(self._exports) >= MAX_EXPORTS or self._exports.count(client) >= MAX_EXPORTS_EACH:
            sentence = f"{MAX_EXPORTS} exports run at once, of one client {MAX_EXPORTS_EACH}"
            return too_many(f"{sentence}; ask again when one has ended.")
        # before the database is asked: meanwhile others would find the same place free
        self._exports.append(client)
        begun: tuple[str, Iterator[str]] | Response | None = None
        try:
            begun = await self._asked(request, ("group", "from", "to", "tz"), _begin)
        finally:
            if not isinstance(begun, tuple):
                self._exports.remove(client)
        return begun if isinstance(begun, Response) else _Export(self._parts(client, *begun), client, self._exports)

    async def _parts(self, client: Client, first: str, lines: Iterator[str]) -> AsyncIterator[str]:
        part = first
        while part:
            yield part
            part = await self._threads.run(client, None, partial(_some, lines))

    def _endpoint(self, answer: Answer, names: Sequence[str]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            # encoded in the thread, too: a page may be long
            body = await self._asked(request, names, lambda *asked: msgspec.json.encode(answer(*asked)))
            return body if isinstance(body, Response) else Response(body, headers=NO_STORE, media_type=_JSON)

        return endpoint

    async def _asked(
        self, request: Request, names: Sequence[str], answer: Callable[["Reads", Query, "Within"], Asked]
    ) -> Asked | Response:
        reads = self._reads()
        if reads is None:
            return problem(503, self._sentence() or OPENING, reason="no_history")
        within = _within(request)
        return await answered(self._threads, request, names, self._tz, lambda question: answer(reads, question, within))


def _within(request: Request) -> "Within":
    """The groups that the token of this request may see; None is everything."""
    from iskra_server.fleet.central.queries import Group  # noqa: PLC0415

    groups = request.scope.get(GROUPS)
    return None if groups is None else [Group(*each) for each in groups]


class _Export(StreamingResponse):
    """Counts as one of `exports`, which has it already, until its end or until the client hangs up."""

    def __init__(self, parts: AsyncIterator[str], client: Client, exports: list[Client]) -> None:
        headers = {"content-disposition": 'attachment; filename="quarters.csv"', **NO_STORE}
        super().__init__(parts, headers=headers, media_type="text/csv; charset=utf-8")
        self._client, self._exports = client, exports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] == "HEAD":
                await Response(headers=self.headers)(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)
        finally:
            self._exports.remove(self._client)


def _begin(reads: "Reads", question: Query, within: "Within") -> tuple[str, Iterator[str]]:
    """The first part, so that a database that does not answer is told, and what gives the others."""
    lines = rows_of(reads, question, within)
    return _some(lines), lines


def _some(lines: Iterator[str]) -> str:
    return "".join(islice(lines, _LINES))
