"""What responses have in common: security headers, JSON that nobody may store, compression, ETags.

The security headers allow only our own files, no MIME sniffing and no referrer. Pages may be framed by their own origin
only: Home Assistant's ingress serves them from its own.
"""

import gzip
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from http import HTTPStatus

import msgspec
from msgspec import Struct
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

JSON = "application/json"
SECURITY = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'; frame-ancestors 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
NO_STORE = {"cache-control": "no-store"}
# shorter bodies save less than the headers add
_MIN_COMPRESSED = 1024
# a weight that refuses an encoding
_REFUSED = re.compile(r"\s*q=0(\.0*)?\s*", re.IGNORECASE)
_VARY = {"vary": "accept-encoding"}
# higher levels take a small computer longer than they save on the wire
_LEVEL = 6


def raw_headers(*groups: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers in the form of ASGI messages."""
    return [(name.encode(), value.encode()) for group in groups for name, value in group.items()]


def json_response(content: Struct) -> Response:
    """A live answer; no cache may store it."""
    return Response(msgspec.json.encode(content), headers=NO_STORE, media_type=JSON)


def compressed(body: bytes, media_type: str, headers: Mapping[str, str], accept_encoding: str) -> Response:
    """A 200 with `body`, compressed where the client accepts gzip. Call it in a thread: compressing takes time."""
    headers = {**headers, **_VARY}
    if len(body) >= _MIN_COMPRESSED and accepts_gzip(accept_encoding):
        headers["content-encoding"] = "gzip"
        body = gzip.compress(body, _LEVEL, mtime=0)
    return Response(body, headers=headers, media_type=media_type)


def accepts_gzip(accept_encoding: str) -> bool:
    """RFC 9110, 12.5.3: `gzip` is named, and not with a weight of 0."""
    named = (item.partition(";") for item in accept_encoding.split(","))
    return any(name.strip().lower() == "gzip" and not _REFUSED.fullmatch(weight) for name, _, weight in named)


def revalidated(request: Request, body: bytes, media_type: str, cache_control: str) -> Response:
    """304 if the client has this body already (its ETag is a hash of it), else `body`, compressed if accepted."""
    etag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"cache-control": cache_control, "etag": etag}
    if _matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={**headers, **_VARY})
    return compressed(body, media_type, headers, request.headers.get("accept-encoding", ""))


def revalidated_json(request: Request, content: Struct | Sequence[Struct]) -> Response:
    """An answer that a client may keep, and must ask for again. Call it in a thread: encoding takes time."""
    return revalidated(request, msgspec.json.encode(content), JSON, "private, no-cache")


def _matches(if_none_match: str, etag: str) -> bool:
    """RFC 9110, 13.1.2: a list of tags, compared weakly, or `*`."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return bool(tags & {etag, "*"})


def with_headers(app: ASGIApp, change: Callable[[Scope, MutableHeaders], None]) -> ASGIApp:
    """ASGI middleware: `change` edits the headers of every response of `app`."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                change(scope, MutableHeaders(scope=message))
            await send(message)

        await app(scope, receive, send_changed)

    return wrapped


def secured(app: ASGIApp) -> ASGIApp:
    """ASGI middleware: adds the security headers."""
    return with_headers(app, lambda _scope, headers: headers.update(SECURITY))
