"""Errors as problem details (RFC 9457): one sentence that names the thing, never a traceback."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, ExceptionHandler, Scope

from iskra_server.base.json_values import Instant
from iskra_server.web.http.responses import JSON, NO_STORE, with_headers

MEDIA_TYPE = "application/problem+json"
# a sentence with more names is not readable, and a central server has a million
MAX_NAMED = 20


class Problem(Struct, frozen=True):
    """RFC 9457. `reason` is a word for programs, `meters` are some known ids, `last_seen` is that of a stale meter."""

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
    """The response for an error."""
    body = Problem(HTTPStatus(status).phrase, status, detail, reason=reason, meters=meters, last_seen=last_seen)
    return Response(msgspec.json.encode(body), status, {**NO_STORE, **(headers or {})}, MEDIA_TYPE)


def unknown_meter(name: str, meters: Sequence[str]) -> str:
    """The sentence for a meter that does not exist."""
    more = " and more" if len(meters) > MAX_NAMED else ""
    known = f"Known meters: {', '.join(meters[:MAX_NAMED])}{more}." if meters else "No meter is known yet."
    return f"There is no meter '{name}'. {known}"


def unknown_meter_problem(name: str, meters: Sequence[str]) -> Response:
    """The response for a meter that does not exist; `meters` are known ones, one more than MAX_NAMED is enough."""
    named = list(meters[:MAX_NAMED])
    return problem(HTTPStatus.NOT_FOUND, unknown_meter(name, meters), reason="unknown_meter", meters=named)


def plain_json(app: ASGIApp) -> ASGIApp:
    """ASGI middleware: problems are application/json for clients that accept nothing else.

    Home Assistant logs a warning for every error of a type that it does not know.
    """
    return with_headers(app, _use_plain_json)


def _use_plain_json(scope: Scope, headers: MutableHeaders) -> None:
    accept = Headers(scope=scope).get("accept", "").strip().lower()
    if accept == JSON and headers.get("content-type") == MEDIA_TYPE:
        headers["content-type"] = JSON


async def http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["allow"] = f"{headers.pop('Allow', 'GET, HEAD')}, OPTIONS"
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    sentence = _sentence(error.status_code, request, is_read="GET" in headers.get("allow", "GET"))
    return problem(error.status_code, sentence, headers=headers)


async def _internal_error(_request: Request, _error: Exception) -> Response:
    return problem(500, "Internal error; the server's log has the details. Please report it.")


def _sentence(status: int, request: Request, *, is_read: bool) -> str:
    if status == HTTPStatus.NOT_FOUND:
        return f"{request.url.path} does not exist. See /docs for all routes."
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.url.path} {'is read-only; use GET' if is_read else 'checks a text; use POST'}."
    return f"{HTTPStatus(status).phrase}."


HANDLERS: dict[object, ExceptionHandler] = {HTTPException: http_error, Exception: _internal_error}
