"""The pages and their static files. The address of a file contains a hash of all files, so browsers keep it for ever.

    /                               names the files below; has the current reading, so nobody may store it
    /docs                           the same, but revalidated by its ETag
    /static/3f9c0a51b2d4/js/main.js cached for a year; a new release has another hash

Modules import each other by relative paths, so one page never mixes two releases.
"""

import asyncio
import html
import mimetypes
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import blake2b
from http import HTTPStatus
from pathlib import Path

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from iskra_server.web.http.ingress import INGRESS
from iskra_server.web.http.problem import http_error
from iskra_server.web.http.responses import NO_STORE, accepts_gzip, compressed, revalidated

STATIC = Path(__file__).parents[1] / "static"
PAGES = {"/": "index.html", "/docs": "docs.html"}
_IMMUTABLE = {"cache-control": "public, max-age=31536000, immutable"}
# a browser may store a page, but must ask whether it has changed
REVALIDATE = "no-cache"
_PATHS_OF_PROGRAMS = ("/api/", "/static/")
_COMPRESSED_TYPES = (".png",)
_MEDIA_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", "": "text/plain"}


class FirstView(Struct, frozen=True):
    """What the index depends on: the language that the browser prefers, the reading as HTML for one without JavaScript,
    and whether its token gives access to some groups of meters alone.
    """

    language: str
    reading: str
    is_scoped: bool


class Pages:
    """The routes of the pages. Each `{{name}}` in a page is replaced by a value of `variables`.

    `{{address}}` is `own_address` in pages that came through ingress, else empty. `{{lang}}`, `{{reading}}` and
    `{{scoped}}` are what `first_view` returns.
    """

    def __init__(
        self, variables: Mapping[str, str], own_address: str, first_view: Callable[[Request], FirstView]
    ) -> None:
        self._variables = variables
        self._own_address = own_address
        self._first_view = first_view

    def routes(self) -> list[Route]:
        return [
            Route("/", self.index),
            Route("/docs", self.docs),
            Route("/static/{hash}/{path:path}", self.file),
        ]

    async def index(self, request: Request) -> Response:
        # the hub belongs to the event loop: only compressing, which takes time, runs in a thread
        view = self._first_view(request)
        values = {"lang": view.language, "scoped": "yes" if view.is_scoped else ""}
        body = page(PAGES["/"], {**self._values(request), **values}, view.reading)
        encodings = request.headers.get("accept-encoding", "")
        return await asyncio.to_thread(compressed, body, "text/html", NO_STORE, encodings)

    # not async: starlette runs these in a thread, as compressing takes time
    def docs(self, request: Request) -> Response:
        return revalidated(request, page(PAGES["/docs"], self._values(request)), "text/html", REVALIDATE)

    def _values(self, request: Request) -> dict[str, str]:
        return {**self._variables, "address": self._own_address if INGRESS in request.scope else ""}

    def file(self, request: Request) -> Response:
        """404 for the hash of another release."""
        path = request.path_params["path"]
        if request.path_params["hash"] != release() or path not in _files():
            raise HTTPException(404)
        return _file(path, accepts_gzip(request.headers.get("accept-encoding", "")))


async def not_found(request: Request, error: Exception) -> Response:
    """404: a page for a person who typed an address, a problem for programs and below the paths of programs."""
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    if path.startswith(_PATHS_OF_PROGRAMS) or "text/html" not in request.headers.get("accept", ""):
        return await http_error(request, error)
    # the page names its files and links relative to the root
    up = "../" * (path.count("/") - 1)
    text = page("missing.html", {"path": path}).decode()
    for attribute in ("href", "src"):
        text = text.replace(f'{attribute}="', f'{attribute}="{up}')
    return Response(text, HTTPStatus.NOT_FOUND, NO_STORE, "text/html")


def page(name: str, variables: Mapping[str, str] | None = None, reading: str = "") -> bytes:
    """The HTML of a page, with the addresses of this release's files; `reading` is HTML too."""
    text = (STATIC / name).read_text()
    for variable, value in (variables or {}).items():
        text = text.replace(f"{{{{{variable}}}}}", html.escape(value))
    return text.replace('"static/', f'"static/{release()}/').replace("{{reading}}", reading).encode()


# a first view loads forty small files at once, together 60 kB compressed
@lru_cache(maxsize=128)
def _file(path: str, accepts_gzip: bool) -> Response:
    file = STATIC / path
    accept = "gzip" if accepts_gzip and file.suffix not in _COMPRESSED_TYPES else ""
    media_type = _MEDIA_TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return compressed(file.read_bytes(), media_type, _IMMUTABLE, accept)


@lru_cache
def release() -> str:
    """A hash of all static files."""
    digest = blake2b(digest_size=6)
    for path in _files():
        digest.update(path.encode() + b"\0" + (STATIC / path).read_bytes())
    return digest.hexdigest()


@lru_cache
def _files() -> tuple[str, ...]:
    return tuple(sorted(file.relative_to(STATIC).as_posix() for file in STATIC.rglob("*") if file.is_file()))
