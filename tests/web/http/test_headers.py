import pytest

from iskra_server.web.http.headers import SECURITY, raw
from web.serving import Site, arrived

PATHS = (
    "/",
    "/docs",
    "/static/0123456789ab/js/main.js",
    "/api/electricity/cumulated",
    "/api/v1/meters",
    "/healthz",
    "/nowhere",
)


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_secured(path: str) -> None:
    headers = Site(arrived()).get(path).headers
    assert {name: headers.get(name) for name in SECURITY} == SECURITY


def test_an_error_of_our_own_is_secured_too() -> None:
    site = Site()
    site.statuses = None  # type: ignore[assignment]
    answer = site.get("/api/v1/status")
    assert (answer.status_code, answer.headers["x-content-type-options"]) == (500, "nosniff")


def test_the_policy_allows_nothing_inline_and_nobody_else() -> None:
    policy = SECURITY["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy and "http" not in policy


def test_groups_of_headers_become_pairs_of_bytes() -> None:
    assert raw({"a": "1"}, {"b": "2"}) == [(b"a", b"1"), (b"b", b"2")]
