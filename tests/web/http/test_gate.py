"""Access by token and host name, and how a browser gets its cookie."""

import asyncio
import re
from typing import Any

import httpx
import pytest

from iskra_server.base.secret import Secret
from iskra_server.web.http.pages import release
from iskra_server.web.http.settings import ScopedToken
from web.serving import Site, arrived

TOKEN = "0123456789abcdef-token"
BEARER = {"authorization": f"Bearer {TOKEN}"}
TOTAL = "/api/electricity/cumulated"
PATHS = (TOTAL, "/api/v1/live", "/api/v1/meters", "/api/v1/status", "/", "/docs", "/api/openapi.json", "/nowhere")
OPEN = ("/healthz", f"/static/{release()}/js/login.js", f"/static/{release()}/css/base.css")


def guarded(**settings: Any) -> Site:
    return Site(arrived(), token=TOKEN, **settings)


def cookie(answer: httpx.Response) -> str:
    return answer.headers["set-cookie"].partition(";")[0]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}, {"cookie": f"token={TOKEN}"}]
)
def test_without_the_token_every_route_is_401(path: str, headers: dict[str, str]) -> None:
    answer = guarded().get(path, **headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "ISK" not in answer.text
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize("path", [TOTAL, "/api/v1/meters", "/", "/docs"])
def test_with_the_token_every_route_is_200(path: str) -> None:
    assert guarded().get(path, **BEARER).status_code == 200


@pytest.mark.parametrize("path", OPEN)
def test_health_and_static_files_need_no_token(path: str) -> None:
    assert guarded().get(path).status_code == 200


def test_the_health_of_meters_needs_the_token() -> None:
    assert guarded().get("/healthz?meter=fresh").status_code == 401
    assert guarded().get("/healthz?meter=fresh", **BEARER).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_no_method_bypasses_the_token(method: str) -> None:
    assert guarded().get(TOTAL, method).status_code == 401


def test_without_a_configured_token_there_is_no_authentication() -> None:
    assert Site(arrived()).get(TOTAL, **{"authorization": "Bearer whatever"}).status_code == 200


def test_a_browser_gets_the_login_page() -> None:
    answer = guarded().get("/", accept="text/html,*/*;q=0.8")
    assert (answer.status_code, answer.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert "login.js" in answer.text
    # the login page names its files relative to the root
    assert guarded().get("/api/v1/meters", accept="text/html").json()["reason"] == "no_token"


def test_a_token_in_the_address_becomes_a_cookie() -> None:
    site = guarded()
    answer = site.get(f"/docs?a=1&token={TOKEN}&b=x%26y")
    assert (answer.status_code, answer.headers["location"]) == (303, "./docs?a=1&b=x%26y")
    assert TOKEN not in answer.headers["set-cookie"] + answer.text
    attributes = answer.headers["set-cookie"].lower()
    assert all(attribute in attributes for attribute in ("httponly", "samesite=strict", "path=/", "max-age=31536000"))
    assert "secure" not in attributes
    assert site.get(TOTAL, cookie=f"other=1; {cookie(answer)}; x=y").status_code == 200


def test_the_login_page_gets_the_cookie_for_an_authorization_header() -> None:
    site = guarded()
    answer = site.get("/login", **BEARER)
    assert (answer.status_code, answer.content) == (204, b"")
    assert site.get(TOTAL, cookie=cookie(answer)).status_code == 200
    assert site.get("/login", authorization="Bearer x").status_code == 401
    assert Site().get("/login").status_code == 404


def test_a_cookie_of_another_token_is_refused() -> None:
    answer = Site(token="another-token-0123456789").get("/?token=another-token-0123456789")
    assert guarded().get(TOTAL, cookie=cookie(answer)).status_code == 401


@pytest.mark.parametrize("path", ["//evil.example", "/http:evil.example", "/a/..%2f..%2fb", "/%0d%0ax:y"])
def test_no_path_redirects_to_another_site(path: str) -> None:
    location = guarded().get(f"{path}?token={TOKEN}").headers["location"]
    assert re.fullmatch(r"\./[\w.%-]*", location)


def test_a_wrong_token_in_the_address_is_refused() -> None:
    for token in ("", "x", "%00", "%ff", "token&token=" + TOKEN):
        assert guarded().get(f"/?token={token}").status_code == 401


@pytest.mark.parametrize("path", [TOTAL, "/api/v1/live", "/", "/healthz"])
def test_a_public_host_name_is_refused_on_every_route(path: str) -> None:
    answer = Site(arrived()).get(path, host="evil.example")
    assert (answer.status_code, answer.json()["reason"]) == (421, "unknown_host")
    assert "server.allowed_hosts" in answer.json()["detail"]
    assert guarded().get(path, host="evil.example", **BEARER).status_code == 421


def test_a_configured_host_name_is_allowed() -> None:
    site = Site(arrived(), allowed_hosts=("meter.example.org",))
    assert [site.get(TOTAL, host="meter.example.org").status_code for _ in range(2)] == [200, 200]


def test_more_host_names_than_the_cache_holds_are_allowed() -> None:
    site = Site(arrived())
    assert {site.get(TOTAL, host=f"pi{number}").status_code for number in range(100)} == {200}


def test_a_request_without_a_host_header_is_allowed() -> None:
    """HTTP/1.0 clients send no Host header."""
    answers: list[Any] = []

    async def send(message: Any) -> None:
        answers.append(message)

    async def ask() -> None:
        scope = {"type": "http", "method": "GET", "path": TOTAL, "query_string": b"", "headers": []}
        await Site(arrived()).app(scope, None, send)  # type: ignore[arg-type]

    asyncio.run(ask())
    assert answers[0]["status"] == 200


def test_a_token_for_some_groups_opens_the_pages_and_what_respects_groups() -> None:
    scoped = "scoped-0123456789abcdef"
    site = guarded(scoped_tokens=(ScopedToken(Secret(scoped), (("tenant", "Meyer"),)),))
    statuses = {path: site.get(path, authorization=f"Bearer {scoped}").status_code for path in PATHS}
    assert [path for path, code in statuses.items() if code == 403] == [
        *(TOTAL, "/api/v1/live", "/api/v1/meters", "/api/v1/status", "/nowhere")
    ]
    answer = site.get(TOTAL, authorization=f"Bearer {scoped}")
    assert answer.json()["reason"] == "forbidden_for_token" and "tenant:Meyer" in answer.json()["detail"]
