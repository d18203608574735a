"""Errors as RFC 9457 problem details: one sentence that names the thing, never a traceback."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

from iskra_server.base.json_values import Instant
from iskra_server.web.http.headers import NO_STORE

MEDIA_TYPE = "application/problem+json"
_JSON = "application/json"
# in a sentence; a building has more than one can read
_MAX_NAMED = 20


class Problem(Struct, frozen=True):
    """RFC 9457. `reason` is a word for programs; `meters` are the ids that are known; `last_seen` of a stale meter."""

    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    type: str = "about:blank"
    reason: str | UnsetType = UNSET
    meters: list[str] | UnsetType = UNSET
    last_seen: Instant | UnsetType = UNSET


def problem(
    status: int,
    detail: str,
    *,
    reason: str | UnsetType = UNSET,
    meters: list[str] | UnsetType = UNSET,
    last_seen: str | UnsetType = UNSET,
    headers: dict[str, str] | None = None,
) -> Response:
    """The answer that says what is wrong."""
    body = Problem(HTTPStatus(status).phrase, status, detail, reason=reason, meters=meters, last_seen=last_seen)
    return Response(msgspec.json.encode(body), status, {**NO_STORE, **(headers or {})}, MEDIA_TYPE)


def known_are(meters: Sequence[str]) -> str:
    """What follows the sentence that a meter is unknown."""
    if not meters:
        return "None is known yet."
    more = f" and {len(meters) - _MAX_NAMED} more" if len(meters) > _MAX_NAMED else ""
    return f"Known are: {', '.join(meters[:_MAX_NAMED])}{more}."


class PlainJson:
    """ASGI middleware: a problem is application/json for whoever accepts that alone.

    Home Assistant warns of every error whose type it does not know, at every question.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_plain(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type") == MEDIA_TYPE:
                    headers["content-type"] = _JSON
            await send(message)

        is_asked = Headers(scope=scope).get("accept", "").strip().lower() == _JSON
        await self._app(scope, receive, send_plain if is_asked else send)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["allow"] = f"{headers.pop('Allow', 'GET, HEAD')}, OPTIONS"
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    return problem(error.status_code, _sentence(error.status_code, request), headers=headers)


async def _bug(_request: Request, _error: Exception) -> Response:
    return problem(500, "The server made a mistake; its log says which. Please report it.")


def _sentence(status: int, request: Request) -> str:
    if status == HTTPStatus.NOT_FOUND:
        return f"There is nothing at {request.url.path}. See /docs for what there is."
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.url.path} can only be read, with GET."
    return f"{HTTPStatus(status).phrase}."


HANDLERS: dict[object, ExceptionHandler] = {HTTPException: _http_error, Exception: _bug}
