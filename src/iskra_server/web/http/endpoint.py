"""An endpoint is one value: its route, its allowed parameters and its OpenAPI description are made from it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from iskra_server.history.store import StoreError
from iskra_server.web.http.problem import MEDIA_TYPE as PROBLEM_TYPE
from iskra_server.web.http.problem import Problem, problem
from iskra_server.web.http.query import BUCKET_LENGTHS, DEFAULT_FROM, BadRequest, NotFound, Query
from iskra_server.web.http.responses import JSON
from iskra_server.web.http.settings import WebSettings
from iskra_server.web.http.share import Client, Disconnected, Threads, TooManyRequests, client_of
from iskra_server.web.server_view import ServerView, history_sentence

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.reads import Reads

T = TypeVar("T")


class Context(Struct, frozen=True):
    """What every handler may use. `exports` are the clients that are receiving an export."""

    settings: WebSettings
    server: ServerView
    threads: Threads
    exports: list[Client]


Handler = Callable[[Context, Request], Awaitable[Response]]


class Parameter(Struct, frozen=True):
    name: str
    description: str
    schema: dict[str, Any]
    place: str = "query"


class Result(Struct, frozen=True):
    """A possible response: `content` is the type of its body, in a stream the type of an event's data.

    `alternative` is a second media type that clients may ask for in Accept.
    """

    description: str
    content: type
    media_type: str = JSON
    alternative: str = ""


class Body(Struct, frozen=True):
    """The text that a request sends."""

    description: str
    media_types: tuple[str, ...]


class Endpoint(Struct, frozen=True):
    """`handler` is None where app.py serves the path before routing. `name` is the OpenAPI operation id."""

    path: str
    name: str
    summary: str
    results: dict[int, Result]
    handler: Handler | None = None
    parameters: tuple[Parameter, ...] = ()
    method: Literal["GET", "POST"] = "GET"
    body: Body | None = None


TEXT = {"type": "string"}
METER_NAME = "the label (1 ISK 00 12345678), with or without spaces, or the server id in hex"
METER_ID = Parameter("id", METER_NAME, TEXT, "path")
PERIODS = "today, last_month and the like, 2026, 2026-11, 2026-11-22, or a moment such as 2026-11-22T10:00:00Z"
TIME_ZONE = Parameter("tz", "time zone in which days begin, such as Europe/Berlin; default: the server's", TEXT)
BUCKET = Parameter(
    "bucket",
    "length of a bucket; default: 15min up to two days, hour up to two weeks, day up to three months, "
    "month up to five years, else year",
    {**TEXT, "enum": list(BUCKET_LENGTHS)},
)


def period_parameters(maximum: str = "", default: str = DEFAULT_FROM) -> tuple[Parameter, Parameter]:
    """`from` and `to`; `maximum` is the longest period that is allowed, `default` that without `from`."""
    limit = f"; at most {maximum}" if maximum else ""
    return (
        Parameter("from", f"beginning of the period: {PERIODS}", {**TEXT, "default": default}),
        Parameter("to", f"a period at whose end the period ends; default: that of `from`{limit}", TEXT),
    )


def integer_parameter(name: str, description: str, default: int, maximum: int) -> Parameter:
    schema = {"type": "integer", "minimum": 1, "maximum": maximum, "default": default}
    return Parameter(name, f"{description}; default {default:,}, at most {maximum:,}", schema)


def failure(description: str) -> Result:
    """A response with problem details."""
    return Result(description, Problem, PROBLEM_TYPE)


WRONG_PARAMETER = failure("a parameter is wrong; `detail` says which and what is allowed")
NO_PARAMETERS = failure("a parameter was sent; there is none")
NO_METER = failure("no such meter; `meters` lists known ones, at most 20")
NO_HISTORY = failure("there is no history, or its database does not respond")
TOO_MANY = failure("too many requests of this client wait or run; try again later")


def history_results(result: Result) -> dict[int, Result]:
    """The responses of an endpoint that reads history; `result` is that of success."""
    return {
        200: result,
        400: WRONG_PARAMETER,
        404: NO_METER,
        429: TOO_MANY,
        503: NO_HISTORY,
    }


async def read_history(
    context: Context,
    request: Request,
    parameters: Sequence[Parameter],
    read: Callable[["Reads", Query], T],
) -> T | Response:
    """What `read` returns, else an error. All that it reads is of one state of the database.

    Or import and export of an answer could be of two quarter-hours, and a cost lack one of them.
    """

    def read_snapshot(store: "Reads", query: Query) -> T:
        with store.snapshot() as reads:
            return read(reads, query)

    return await read_store(context, request, parameters, read_snapshot)


async def read_store(
    context: Context,
    request: Request,
    parameters: Sequence[Parameter],
    read: Callable[["Reads", Query], T],
) -> T | Response:
    """What `read` returns, run in a thread, so that live answers never wait for the database; else an error.

    For an answer that goes on reading after `read` has returned.
    """
    reads = context.server.store()
    if reads is None:
        return problem(503, _why_no_history(context), reason="no_history")
    try:
        names = [parameter.name for parameter in parameters if parameter.place == "query"]
        query = Query(request.query_params, names, now=datetime.now(UTC), tz=context.settings.tz)
        return await context.threads.run(client_of(request.scope), request.receive, partial(read, reads, query))
    except (BadRequest, NotFound, StoreError, TooManyRequests, Disconnected) as error:
        return error_response(error)


def error_response(error: Exception) -> Response:
    """Of what Threads.run and what runs in it raise."""
    match error:
        case BadRequest():
            return problem(400, _sentence(error), reason="bad_request")
        case NotFound():
            return problem(404, _sentence(error), reason=error.reason)
        case TooManyRequests():
            return too_many_requests(_sentence(error))
        case StoreError():
            return problem(503, str(error), reason="no_history")
    return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)


def too_many_requests(sentence: str) -> Response:
    headers = {"retry-after": "1"}
    return problem(HTTPStatus.TOO_MANY_REQUESTS, sentence, reason="too_many_requests", headers=headers)


def _why_no_history(context: Context) -> str:
    if not context.settings.has_history:
        return "History is switched off; set history.enabled to true."
    return history_sentence(context.server) or "History is being opened; try again in a moment."


def _sentence(clause: Exception) -> str:
    text = str(clause)
    return f"{text[0].upper()}{text[1:]}."
