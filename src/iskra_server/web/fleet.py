"""The routes of a centre, under /api/v1/fleet: what they answer is in fleet_answers.py, here is how they are asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from iskra_server.history.errors import StoreError
from iskra_server.web.fleet_answers import energy_of, groups_of, meters_of, readers_of, rows_of
from iskra_server.web.gate import GROUPS
from iskra_server.web.headers import NO_STORE
from iskra_server.web.history import OPENING, as_sentence
from iskra_server.web.problem import problem
from iskra_server.web.question import Misuse, Question

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.fleet import Within
    from iskra_server.history.reads import Reads

_AT_ONCE = 4
_LINES = 1000

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
        started = await self._asked(request, ("group", "from", "to", "tz"), rows_of)
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
            return problem(400, as_sentence(str(misuse)), reason="misuse")
        except StoreError as error:
            return problem(503, str(error), reason="no_history")


def _within(request: Request) -> "Within":
    """The groups that the token of this request may see; None is everything."""
    from iskra_server.history.fleet import Group  # noqa: PLC0415

    groups = request.scope.get(GROUPS)
    return None if groups is None else [Group(*each) for each in groups]


def _some(lines: Iterator[str]) -> str:
    return "".join(islice(lines, _LINES))
