import gzip

import pytest

from iskra_server.web.http.responses import SECURITY, compressed, raw_headers
from web.serving import Site, arrived

LONG = b"0123456789abcdef" * 100
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
def test_every_response_has_the_security_headers(path: str) -> None:
    headers = Site(arrived()).get(path).headers
    assert {name: headers.get(name) for name in SECURITY} == SECURITY


def test_an_internal_error_has_the_security_headers() -> None:
    site = Site()
    site.statuses = None  # type: ignore[assignment]
    answer = site.get("/api/v1/status")
    assert (answer.status_code, answer.headers["x-content-type-options"]) == (500, "nosniff")


def test_the_policy_allows_no_inline_code_and_no_other_server() -> None:
    policy = SECURITY["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy and "http" not in policy


def test_groups_of_headers_become_pairs_of_bytes() -> None:
    assert raw_headers({"a": "1"}, {"b": "2"}) == [(b"a", b"1"), (b"b", b"2")]


def test_long_bodies_are_compressed_for_clients_that_accept_gzip() -> None:
    answer = compressed(LONG, "text/plain", {"etag": '"1"'}, "br, gzip")
    assert answer.headers["content-encoding"] == "gzip"
    for accepted in ("gzip;q=0.001", "GZIP", "br;q=1.0,gzip;q=0.8,*;q=0.1", "gzip;q=1"):
        assert compressed(LONG, "text/plain", {}, accepted).headers["content-encoding"] == "gzip"
    assert answer.headers["content-length"] == str(len(answer.body)) and len(answer.body) < len(LONG)
    assert gzip.decompress(bytes(answer.body)) == LONG


def test_short_bodies_and_other_clients_get_it_uncompressed() -> None:
    refusing = ("", "br", "gzip;q=0", "gzip ; q=0.000", "br, GZIP;Q=0, *", "identity;q=1, gzip;q=0.0", "xgzip")
    for body, accepted in (*((LONG, header) for header in refusing), (b"short", "gzip")):
        answer = compressed(body, "text/plain", {}, accepted)
        assert (bytes(answer.body), "content-encoding" in answer.headers) == (body, False)


def test_compressed_responses_vary_by_accept_encoding() -> None:
    assert compressed(LONG, "text/plain", {"etag": '"1"'}, "").headers["vary"] == "accept-encoding"
    assert compressed(LONG, "text/plain", {"etag": '"1"'}, "").headers["etag"] == '"1"'
