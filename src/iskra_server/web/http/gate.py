"""Access control in front of every route: host names and tokens. It looks at the headers only.

    Host: a name outside the local network           421, see base/hosts.py
    no valid token, where one is configured          401; browsers get the login page
    Authorization: Bearer TOKEN                      for programs
    Cookie: iskra_...=...                            for the page, because EventSource cannot send headers
    ?token=TOKEN                                     once: sets the cookie and redirects to the address without it
    GET /login with Authorization                    sets the cookie; used by the login page
    a token for some groups, on any other route      403

The cookie is an HMAC under the token: the browser never stores the token itself.
No token is needed for `/healthz` without parameters and for the static files, which contain no data.
"""

import hmac
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import parse_qsl, quote, urlencode

from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from iskra_server.base.hosts import Hosts
from iskra_server.base.secret import Secret
from iskra_server.web.http.pages import page
from iskra_server.web.http.problem import problem
from iskra_server.web.http.responses import NO_STORE
from iskra_server.web.http.settings import Groups, ScopedToken

_LOGIN = "/login"
_PUBLIC = "/healthz"
_PUBLIC_FILES = "/static/"
# routes that respect the groups of a token, and the pages; a token for some groups cannot use any other route
_SCOPED = frozenset(
    (
        *("/", "/docs", "/api/openapi.json"),
        *("/api/v1/fleet/meters", "/api/v1/fleet/groups", "/api/v1/fleet/energy", "/api/v1/fleet/quarters.csv"),
        *("/api/v1/fleet/statement", "/api/v1/fleet/statements.zip"),
    )
)
# key in the ASGI scope: the groups that the token gives access to; absent if it gives access to everything
GROUPS = "iskra_server.groups"
_YEAR_S = 365 * 86_400
# allowed Host headers that are cached; a network has few
_CACHED_HOSTS = 64


class Credential:
    """A token in the forms in which clients send it. `groups` limits its access; None: access to everything."""

    def __init__(self, token: Secret, groups: Groups | None = None) -> None:
        self.groups = groups
        self.token = token.reveal().encode()
        self._authorization = b"Bearer " + self.token
        digest = hmac.digest(self.token, b"iskra-server cookie", "sha256").hex()
        # the name depends on the token: two servers on one machine share their cookies
        self.cookie_name, self.cookie_value = f"iskra_{digest[:8]}", digest[8:]
        self._cookie = f"{self.cookie_name}={self.cookie_value}".encode()

    def matches(self, authorization: bytes, cookies: bytes) -> bool:
        return hmac.compare_digest(authorization, self._authorization) or any(
            hmac.compare_digest(cookie.strip(), self._cookie) for cookie in cookies.split(b";")
        )


class Gate:
    """Checks requests. With an empty `token` there is no authentication."""

    def __init__(self, token: Secret, scoped_tokens: Iterable[ScopedToken], hosts: Hosts) -> None:
        self._hosts = hosts
        self._allowed_hosts: set[bytes] = set()
        scoped = (Credential(scoped_token.token, scoped_token.groups) for scoped_token in scoped_tokens)
        self._credentials = [Credential(token), *scoped] if token else []

    def __call__(self, scope: Scope) -> ASGIApp | None:
        """None for a request that may pass, else the response to it."""
        host, authorization, cookies = _headers(scope)
        if host and not self._allows_host(host):
            return _misdirected(host)
        if not self._credentials:
            return None
        for credential in self._credentials:
            if credential.matches(authorization, cookies):
                return _authorize(scope, credential)
        return None if _is_public(scope) else self._authenticate(scope)

    def _allows_host(self, host: bytes) -> bool:
        if host in self._allowed_hosts:
            return True
        is_allowed = self._hosts.allows(host.decode("latin-1"))
        if is_allowed and len(self._allowed_hosts) < _CACHED_HOSTS:
            self._allowed_hosts.add(host)
        return is_allowed

    def _authenticate(self, scope: Scope) -> Response:
        """A valid token in the query becomes a cookie; any other request is refused."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        token = next((value.encode() for name, value in query if name == "token"), b"")
        for credential in self._credentials:
            if hmac.compare_digest(token, credential.token):
                response = Response(
                    status_code=HTTPStatus.SEE_OTHER, headers={"location": _without_token(scope, query)}
                )
                return _set_cookie(response, scope, credential)
        return _unauthorized(scope)


def _headers(scope: Scope) -> tuple[bytes, bytes, bytes]:
    """Host, Authorization and Cookie; empty if absent."""
    host = authorization = cookies = b""
    for name, value in scope["headers"]:
        if name == b"host":
            host = host or value
        elif name == b"authorization":
            authorization = value
        elif name == b"cookie":
            cookies = value
    return host, authorization, cookies


def _authorize(scope: Scope, credential: Credential) -> Response | None:
    """None if the credential gives access to this path."""
    if scope["path"] == _LOGIN:
        return _set_cookie(Response(status_code=HTTPStatus.NO_CONTENT), scope, credential)
    if credential.groups is None:
        return None
    scope[GROUPS] = credential.groups
    return None if scope["path"] in _SCOPED or _is_public(scope) else _forbidden_for_scope(credential.groups)


def _is_public(scope: Scope) -> bool:
    path = scope["path"]
    return path.startswith(_PUBLIC_FILES) or (path == _PUBLIC and not scope["query_string"])


def _without_token(scope: Scope, query: list[tuple[str, str]]) -> str:
    """Relative: a reverse proxy may serve this below a path of its own, and no path can redirect to another site."""
    rest = urlencode([(name, value) for name, value in query if name != "token"])
    return f"./{quote(scope['path'].rpartition('/')[2], safe='')}{'?' if rest else ''}{rest}"


def _set_cookie(response: Response, scope: Scope, credential: Credential) -> Response:
    response.headers.update(NO_STORE)
    response.set_cookie(
        credential.cookie_name,
        credential.cookie_value,
        max_age=_YEAR_S,
        secure=scope["scheme"] == "https",
        httponly=True,
        samesite="strict",
    )
    return response


def _forbidden_for_scope(groups: Groups) -> Response:
    names = ", ".join(f"{kind}:{value}" for kind, value in groups)
    sentence = f"This token gives access to the meters of {names} under /api/v1/fleet only; use another token."
    return problem(HTTPStatus.FORBIDDEN, sentence, reason="forbidden_for_token")


def _unauthorized(scope: Scope) -> Response:
    headers = {"www-authenticate": "Bearer"}
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    # the login page names its files relative to the root
    if b"text/html" in accept and scope["path"].count("/") == 1:
        return Response(page("login.html"), HTTPStatus.UNAUTHORIZED, NO_STORE | headers, "text/html")
    sentence = "A token is required: send it as 'Authorization: Bearer TOKEN', or open the page once with ?token=TOKEN."
    return problem(HTTPStatus.UNAUTHORIZED, sentence, reason="no_token", headers=headers)


def _misdirected(host: bytes) -> Response:
    name = host.decode("latin-1")[:100]
    sentence = f"'{name}' is not a name of this server. Add it to server.allowed_hosts, or use the IP address."
    return problem(HTTPStatus.MISDIRECTED_REQUEST, sentence, reason="unknown_host")
