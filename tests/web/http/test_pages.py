"""The pages and their files: one hash for all of them, nothing from elsewhere, nothing inline, both languages."""

import hashlib
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

import javascript
from iskra_server.meter.status_word import MS2020_BITS
from iskra_server.web.http import pages, responses
from iskra_server.web.http.pages import PAGES, STATIC, release
from iskra_server.web.http.responses import compressed
from web.serving import Site

FILES = sorted(file.relative_to(STATIC).as_posix() for file in STATIC.rglob("*") if file.is_file())
SCRIPTS = [name for name in FILES if name.startswith("js/")]
GZIP = {"accept-encoding": "gzip"}
# what a first view may weigh, with its answers
WIRE_BYTES = 150_000
# and what is loaded before it can show a number, with the headers of each answer
NUMBER_BYTES, HEADER_BYTES = 40_000, 400


def source(name: str) -> str:
    return (STATIC / name).read_text()


def imports(name: str) -> set[str]:
    """The modules that a module needs before it runs."""
    return {f"js/{needed}" for needed in javascript.static_imports(STATIC / name)}


def closure(*names: str) -> set[str]:
    found: set[str] = set()
    todo = set(names)
    while todo:
        found |= todo
        todo = {each for name in todo for each in imports(name)} - found
    return found


def test_the_page_of_the_api_is_revalidated_by_its_etag() -> None:
    first = Site().get("/docs")
    assert (first.status_code, first.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert first.headers["cache-control"] == "no-cache"
    again = Site().get("/docs", **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["vary"]) == (304, b"", "accept-encoding")


def test_nobody_stores_the_page_with_the_reading() -> None:
    page = Site().get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["cache-control"] == "no-store" and "etag" not in page.headers


def test_a_page_contains_its_version_and_time_zone() -> None:
    page = Site(tz="Europe/Berlin").get("/").text
    assert 'data-tz="Europe/Berlin"' in page and 'data-version="1.2.3"' in page
    assert "{{" not in page


def test_no_file_is_compressed_in_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    packing: list[threading.Thread] = []

    def noting(*given: Any) -> Any:
        packing.append(threading.current_thread())
        return compressed(*given)

    for module in (pages, responses):
        monkeypatch.setattr(module, "compressed", noting)
    pages._file.cache_clear()
    for path in ("/", f"/static/{release()}/js/words/en.js"):
        # the loop of a request runs in this thread
        assert Site().get(path, **GZIP).headers["content-encoding"] == "gzip"
    assert len(packing) == 2
    assert threading.current_thread() not in packing


@pytest.mark.parametrize("path", PAGES)
def test_every_file_that_a_page_names_is_immutable(path: str) -> None:
    site = Site()
    named = re.findall(r'"(static/[^"]+)"', site.get(path).text)
    assert named
    for name in named:
        answer = site.get(f"/{name}")
        assert answer.status_code == 200, name
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.content == (STATIC / name.removeprefix(f"static/{release()}/")).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_served_with_its_type(name: str) -> None:
    known = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "png": "image/png",
             "json": "application/json", "html": "text/html", "txt": "text/plain",
             "webmanifest": "application/manifest+json"}  # fmt: skip
    answer = Site().get(f"/static/{release()}/{name}", **GZIP)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == known[name.rpartition(".")[2]]
    assert answer.content == (STATIC / name).read_bytes()


def test_scripts_are_compressed_for_clients_that_accept_gzip() -> None:
    path = f"/static/{release()}/js/main.js"
    big = f"/static/{release()}/vendor/uPlot.iife.min.js"
    assert Site().get(big, **GZIP).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in Site().get(path, **{"accept-encoding": ""}).headers


@pytest.mark.parametrize("path", ["/static/0123456789ab/js/main.js", f"/static/{release()}/js/nothing.js",
                                  f"/static/{release()}/%2e%2e/app.py", "/static/js/main.js"])  # fmt: skip
def test_another_release_and_another_file_are_not_found(path: str) -> None:
    assert Site().get(path).status_code == 404


@pytest.mark.parametrize("name", PAGES.values())
def test_a_page_asks_only_this_server_and_has_nothing_inline(name: str) -> None:
    page = source(name)
    assert re.findall(r'(?:src|href)="(?:https?:|//)', page) == []
    assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=", page)


def test_what_the_first_view_runs_is_loaded_at_once() -> None:
    named = set(re.findall(r'<link rel="modulepreload" href="static/([^"]+)">', source("index.html")))
    run = set(re.findall(r'<script type="module"(?: async)? src="static/([^"]+)">', source("index.html")))
    assert run == {"js/stream.js", "js/main.js"}
    # one dictionary, in the language that the browser asks for
    named.remove("js/words/{{lang}}.js")
    assert named | run == closure("js/main.js", "js/views/now.js")
    assert not named & run


def test_the_first_view_is_light() -> None:
    site = Site()
    page = site.get("/", **GZIP)
    names = set(re.findall(r'"/?(static/[^"]+)"', page.text))
    names |= {f"static/{release()}/{name}" for name in ("vendor/uPlot.iife.min.js", "vendor/uPlot.min.css")}
    sent = [len(page.content)] + [int(site.get(f"/{name}", **GZIP).headers["content-length"]) for name in names]
    assert sum(sent) < WIRE_BYTES / 2


def test_the_number_is_there_after_few_bytes() -> None:
    site = Site()
    # the larger one of the languages
    page = site.get("/", **GZIP, **{"accept-language": "de"})
    names = set(re.findall(r'"(static/[^"]+\.(?:js|css))"', page.text))
    assert f"static/{release()}/js/words/de.js" in names
    sent = [int(site.get(f"/{name}", **GZIP).headers["content-length"]) for name in names]
    sent.append(int(page.headers["content-length"]))
    assert sum(sent) + HEADER_BYTES * len(sent) < NUMBER_BYTES


@pytest.mark.parametrize("name", SCRIPTS)
def test_modules_name_each_other_and_nobody_else(name: str) -> None:
    text = source(name)
    assert all((STATIC / each).is_file() for each in imports(name))
    lazy = javascript.lazy_imports(STATIC / name)
    assert [path for path in lazy if path not in javascript.modules()] == []
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text) == []
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)


def keys(name: str) -> list[str]:
    """The names in a dictionary of words, in order, without what it says."""
    text = re.sub(r"`[^`]*`|/\*.*?\*/", "", source(name))
    quoted = re.sub(r'"((?:[^"\\]|\\.)*)"(:?)', lambda found: f"{found[1]}:" if found[2] else "", text)
    return re.findall(r"(\w+):", quoted)


def test_every_word_is_there_in_both_languages() -> None:
    assert keys("js/words/en.js") == keys("js/words/de.js") != []


@pytest.mark.parametrize("language", ["En", "De"])
def test_every_flag_of_a_status_word_has_a_text(language: str) -> None:
    known = keys(f"js/words/registers{language}.js")
    assert {*MS2020_BITS.values()} <= set(known)


@pytest.mark.parametrize("name", [name for name in SCRIPTS if "/words/" not in name])
def test_every_word_that_a_module_says_is_there(name: str) -> None:
    known = set(re.findall(r"^  (\w+):", source("js/words/en.js"), re.MULTILINE))
    assert set(re.findall(r"\bwords\.(\w+)", source(name))) - known <= {"js"}


def test_what_others_made_is_as_they_made_it() -> None:
    record = json.loads(source("vendor/vendored.json"))
    sums = {name: hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() for name in record["sha256"]}
    assert sums == record["sha256"]
    assert {Path(name).name for name in FILES if name.startswith("vendor/")} == {*sums, "vendored.json"}
    assert (record["licence"], record["name"]) == ("MIT", "uPlot")


def test_the_manifest_names_icons_that_are_there() -> None:
    manifest = json.loads(source("manifest.webmanifest"))
    assert [icon["src"] for icon in manifest["icons"] if not (STATIC / icon["src"]).is_file()] == []
    assert manifest["display"] == "standalone" and manifest["start_url"].startswith("../../")
