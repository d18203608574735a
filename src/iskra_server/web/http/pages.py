"""The pages, and the files they are made of: each at an address with a hash of them all, so that it is kept for ever.

    /                               asked for each time, by its ETag; names the files below
    /static/3f9c0a51b2d4/js/main.js kept for a year; a new release has another hash

Modules name each other relatively, so one page is always made of one release.
"""

import html
import mimetypes
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from iskra_server.web.http.compressed import compressed

STATIC = Path(__file__).parents[1] / "static"
PAGES = {"/": "index.html", "/docs": "docs.html"}
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
# a browser may keep a page, but asks whether it is still the same
REVALIDATE = {"cache-control": "no-cache"}
_PACKED = (".png",)
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", "": "text/plain"}


class Pages:
    """`facts` are what a page may know without asking: `{{name}}` in it stands for one."""

    def __init__(self, facts: Mapping[str, str]) -> None:
        self._facts = facts

    def routes(self) -> list[Route]:
        return [*(Route(path, self.page) for path in PAGES), Route("/static/{hash}/{path:path}", self.file)]

    def page(self, request: Request) -> Response:
        body = page(PAGES[request.url.path.removeprefix(request.scope.get("root_path", ""))], self._facts)
        etag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
        headers = {**REVALIDATE, "etag": etag}
        if request.headers.get("if-none-match", "").removeprefix("W/") == etag:
            return Response(status_code=304, headers=headers)
        return compressed(body, "text/html", headers, request.headers.get("accept-encoding", ""))

    def file(self, request: Request) -> Response:
        """404 for another release: a page must not be made of two."""
        path = request.path_params["path"]
        if request.path_params["hash"] != release() or path not in _files():
            raise HTTPException(404)
        return _file(path, "gzip" in request.headers.get("accept-encoding", ""))


def page(name: str, facts: Mapping[str, str] | None = None) -> bytes:
    """A page that names the files of this release; `{{name}}` in it stands for a fact."""
    text = (STATIC / name).read_text()
    for fact, value in (facts or {}).items():
        text = text.replace(f"{{{{{fact}}}}}", html.escape(value))
    return text.replace('"static/', f'"static/{release()}/').encode()


# a first view asks for forty small files at once: packed once, they are 60 kB
@lru_cache(maxsize=128)
def _file(path: str, takes_gzip: bool) -> Response:
    file = STATIC / path
    accept = "gzip" if takes_gzip and file.suffix not in _PACKED else ""
    media_type = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/byte-stream"
    return compressed(file.read_bytes(), media_type, _FOR_EVER, accept)


@lru_cache
def release() -> str:
    """A hash of all files: the same for the same release."""
    digest = blake2b(digest_size=6)
    for path in _files():
        digest.update(path.encode() + b"\0" + (STATIC / path).read_bytes())
    return digest.hexdigest()


@lru_cache
def _files() -> tuple[str, ...]:
    return tuple(sorted(file.relative_to(STATIC).as_posix() for file in STATIC.rglob("*") if file.is_file()))
