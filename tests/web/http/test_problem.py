import re

import msgspec
import pytest

from iskra_server.web.http.problem import Problem, problem, unknown_meter
from web.serving import Site


def test_a_problem_has_a_sentence_and_no_empty_fields() -> None:
    answer = problem(503, "The meter is silent.", reason="stale")
    assert msgspec.json.decode(bytes(answer.body)) == {
        "title": "Service Unavailable",
        "status": 503,
        "detail": "The meter is silent.",
        "type": "about:blank",
        "reason": "stale",
    }
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


def test_an_unknown_path_is_named() -> None:
    answer = Site().get("/api/v2/meters")
    assert answer.status_code == 404
    assert "/api/v2/meters" in msgspec.json.decode(answer.content, type=Problem).detail


@pytest.mark.parametrize(
    ("path", "up"), [("/nothing", ""), ("/some/where/else", "../../"), ("/%22%3Cscript%3E", ""), ("/history/", "../")]
)
def test_a_browser_gets_a_page_for_a_path_that_does_not_exist(path: str, up: str) -> None:
    answer = Site().get(path, accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    text = answer.text
    assert "does not exist" in text and "gibt es nicht" in text and "<script" not in text
    assert f'href="{up}./"' in text and f'href="{up}docs"' in text
    (sheet,) = re.findall(r'stylesheet" href="([^"]+)"', text)
    assert sheet.startswith(f"{up}static/") and Site().get(f"/{sheet.removeprefix(up)}").status_code == 200


@pytest.mark.parametrize("path", ["/api/v2/meters", "/static/nothing.js"])
def test_a_browser_gets_a_problem_below_the_paths_of_programs(path: str) -> None:
    answer = Site().get(path, accept="text/html")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/json", "application/json"),
        ("*/*", "application/problem+json"),
        ("application/problem+json, application/json", "application/problem+json"),
    ],
)
def test_a_client_that_accepts_plain_json_only_gets_it(accept: str, media_type: str) -> None:
    answer = Site().get("/api/v1/meters/nobody", accept=accept)
    assert (answer.status_code, answer.headers["content-type"]) == (404, media_type)
    assert msgspec.json.decode(answer.content, type=Problem).reason == "unknown_meter"


def test_an_unknown_file_is_named() -> None:
    answer = Site().get("/static/../app.py")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_wrong_method_is_405_with_the_allowed_ones() -> None:
    for path in ("/api/electricity/cumulated", "/api/v1/live", "/api/v1/meters", "/"):
        answer = Site().get(path, "DELETE")
        assert answer.status_code == 405
        assert {"GET", "HEAD", "OPTIONS"} == set(answer.headers["allow"].split(", "))
        assert msgspec.json.decode(answer.content, type=Problem).status == 405


def test_options_has_no_body() -> None:
    answer = Site().get("/api/electricity/cumulated", "OPTIONS")
    assert (answer.status_code, answer.content) == (204, b"")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_a_bug_is_answered_without_a_traceback() -> None:
    site = Site()
    site.statuses = None  # type: ignore[assignment]
    answer = site.get("/api/v1/meters")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text and "TypeError" not in answer.text
    assert msgspec.json.decode(answer.content, type=Problem).title == "Internal Server Error"


def test_the_sentence_for_an_unknown_meter_names_at_most_20() -> None:
    assert unknown_meter("x", []) == "There is no meter 'x'. No meter is known yet."
    assert unknown_meter("x", ["a", "b"]).endswith(" Known meters: a, b.")
    assert unknown_meter("x", ["a"] * 1000).endswith(f": {', '.join(['a'] * 20)} and more.")
