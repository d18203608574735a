"""Who may ask: stands in front of every route. None of its checks costs a request more than a look into its headers.

    Host: a name that is not of this network       421   hosts.py
    no token where one is configured               401   a page that asks for it, to browsers
    Authorization: Bearer TOKEN                    for programs
    Cookie: iskra_...=...                          for the page: EventSource cannot send headers
    ?token=TOKEN                                   once: gives the cookie and leaves the address
    GET /login with Authorization                  gives the cookie; what the page that asks does
    a token for some groups, elsewhere             403

The cookie holds what can be computed from the token and not the reverse: no browser keeps the token itself.
Open without a token: `/healthz` without questions, and the files of the pages, which hold no data.
"""

import hmac
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import parse_qsl, quote, urlencode

from starlette.responses import Response
from starlette.types import ASGIApp
from starlette.types import Scope as ASGIScope

from iskra_server.base.secret import Secret
from iskra_server.web.http.headers import NO_STORE
from iskra_server.web.http.hosts import Hosts
from iskra_server.web.http.pages import page
from iskra_server.web.http.problem import problem
from iskra_server.web.http.settings import Scope

_LOGIN = "/login"
_OPEN = "/healthz"
_OPEN_FILES = "/static/"
# what looks at groups, and the pages; every route that is not named here is closed to whoever sees some groups alone
_SCOPED = frozenset(
    (
        *("/", "/docs", "/api/openapi.json"),
        *("/api/v1/fleet/meters", "/api/v1/fleet/groups", "/api/v1/fleet/energy", "/api/v1/fleet/quarters.csv"),
    )
)
# under this name a request tells which groups its token may see; it is not there where that is everything
GROUPS = "iskra_server.groups"
NO_TOKEN = Secret()
Groups = tuple[tuple[str, str], ...]
_YEAR_S = 365 * 86_400
# Host headers that were found good; there are few of them, and whoever sends many is answered all the same
_REMEMBERED = 64


class Pass:
    """A token, as it is shown by programs and by browsers, and the groups that it may see; None is everything."""

    def __init__(self, token: Secret, groups: Groups | None = None) -> None:
        self.groups = groups
        self.token = token.reveal().encode()
        self.bearer = b"Bearer " + self.token
        proof = hmac.digest(self.token, b"iskra-server cookie", "sha256").hex()
        # a name of its own for each token: two servers of one machine share their cookies
        self.name, self.proof = f"iskra_{proof[:8]}", proof[8:]
        self._cookie = f"{self.name}={self.proof}".encode()

    def is_shown(self, bearer: bytes, cookies: bytes) -> bool:
        return hmac.compare_digest(bearer, self.bearer) or any(
            hmac.compare_digest(cookie.strip(), self._cookie) for cookie in cookies.split(b";")
        )


class Gate:
    """Call it with a request: None lets it pass, else what it gives is the answer. An empty `token` asks for none."""

    def __init__(self, *, token: Secret = NO_TOKEN, hosts: Hosts | None = None, scopes: Iterable[Scope] = ()) -> None:
        self._hosts = hosts or Hosts()
        self._good_hosts: set[bytes] = set()
        self._passes = [Pass(token), *(Pass(each.token, each.groups) for each in scopes)] if token else []

    def __call__(self, scope: ASGIScope) -> ASGIApp | None:
        host = bearer = cookies = b""
        for name, value in scope["headers"]:
            if name == b"host":
                host = host or value
            elif name == b"authorization":
                bearer = value
            elif name == b"cookie":
                cookies = value
        if host and host not in self._good_hosts and not self._is_ours(host):
            return _misdirected(host)
        if not self._passes:
            return None
        for each in self._passes:
            if each.is_shown(bearer, cookies):
                return self._known(scope, each)
        return None if _is_open(scope) else self._unknown(scope)

    def _is_ours(self, host: bytes) -> bool:
        ours = self._hosts.allows(host.decode("latin-1"))
        if ours and len(self._good_hosts) < _REMEMBERED:
            self._good_hosts.add(host)
        return ours

    def _known(self, scope: ASGIScope, shown: Pass) -> ASGIApp | None:
        """Whoever sees some groups alone is led to what looks at them, and to nothing else."""
        if scope["path"] == _LOGIN:
            return _welcome(scope, shown, Response(status_code=204))
        if shown.groups is None:
            return None
        scope[GROUPS] = shown.groups
        return None if scope["path"] in _SCOPED or _is_open(scope) else _not_for(shown.groups)

    def _unknown(self, scope: ASGIScope) -> ASGIApp:
        """Nobody that is known; a right token in the address becomes a cookie."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value.encode() for name, value in query if name == "token"]
        shown = [each for each in self._passes if given and hmac.compare_digest(given[0], each.token)]
        if not shown:
            return _asks_for_token(scope)
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        # relative: the server may stand below another's path, and nothing in it can lead elsewhere
        there = f"./{quote(scope['path'].rpartition('/')[2], safe='')}{'?' if rest else ''}{rest}"
        return _welcome(scope, shown[0], Response(status_code=HTTPStatus.SEE_OTHER, headers={"location": there}))


def _welcome(scope: ASGIScope, shown: Pass, response: Response) -> Response:
    response.headers.update(NO_STORE)
    response.set_cookie(
        shown.name,
        shown.proof,
        max_age=_YEAR_S,
        secure=scope["scheme"] == "https",
        httponly=True,
        samesite="strict",
    )
    return response


def _not_for(groups: Groups) -> Response:
    names = ", ".join(f"{kind}:{value}" for kind, value in groups)
    sentence = f"This token sees the meters of {names}, under /api/v1/fleet; for all else another token is needed."
    return problem(HTTPStatus.FORBIDDEN, sentence, reason="not_for_this_token")


def _is_open(scope: ASGIScope) -> bool:
    path = scope["path"]
    return path.startswith(_OPEN_FILES) or (path == _OPEN and not scope["query_string"])


def _asks_for_token(scope: ASGIScope) -> Response:
    headers = {"www-authenticate": "Bearer"}
    accepted = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    # the page names its files relative to the root
    if b"text/html" in accepted and scope["path"].count("/") == 1:
        return Response(page("login.html"), HTTPStatus.UNAUTHORIZED, NO_STORE | headers, "text/html")
    sentence = (
        "A token is needed here: send it as 'Authorization: Bearer TOKEN', or open the page once with ?token=TOKEN."
    )
    return problem(HTTPStatus.UNAUTHORIZED, sentence, reason="no_token", headers=headers)


def _misdirected(host: bytes) -> Response:
    name = host.decode("latin-1")[:100]
    sentence = f"'{name}' is no name of this server. Add it to server.allowed_hosts, or ask by the IP address."
    return problem(HTTPStatus.MISDIRECTED_REQUEST, sentence, reason="unknown_host")
