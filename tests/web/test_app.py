"""The whole application, also while a reload replaces it."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from answering import Answering, answering, until
from iskra_server.base.secret import Secret
from iskra_server.fleet.central import answers
from iskra_server.web.app import App, create_app
from iskra_server.web.http.settings import WebSettings
from iskra_server.web.http.share import MAX_RUNNING_PER_CLIENT
from iskra_server.web.server_view import history_sentence
from web.serving import ServerStub, Site, arrived, writing

AT_ONCE = 8
LINES = 30_000


def test_head_has_the_headers_of_get_and_no_body() -> None:
    site = Site(arrived())
    for path in ("/", "/api/v1/meters", "/healthz"):
        answer = site.get(path, "HEAD")
        assert (answer.status_code, answer.headers["content-type"]) == (200, site.get(path).headers["content-type"])


def test_a_path_without_a_route_is_not_found() -> None:
    assert Site().get("/api/electricity").status_code == 404


class Reads:
    """History that answers when the test allows it."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()

    def replacement_chain(self, _names: object) -> list[Any]:
        assert self.may_answer.wait(60)
        return []

    def first_meters(self, _limit: int) -> list[Any]:
        return []

    def virtual(self) -> list[Any]:
        return []

    @contextmanager
    def snapshot(self) -> Iterator["Reads"]:
        yield self


def app_of(reads: Any, **settings: Any) -> App:
    return create_app(WebSettings("1", has_history=True, **settings), ServerStub(store=lambda: reads))


async def request(site: Answering, path: str) -> bytes:
    client = await site.client()
    await client.send(b"GET %b HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n" % path.encode())
    return await client.rest()


class NewThreads:
    """Counts the history threads that were started since."""

    def __init__(self) -> None:
        self._before = set(threading.enumerate())

    def count(self) -> int:
        return sum(thread.name.startswith("history") for thread in set(threading.enumerate()) - self._before)


def test_running_requests_finish_in_the_application_in_which_they_began() -> None:
    reads, threads = Reads(), NewThreads()
    old, new = app_of(reads), app_of(reads, token=Secret("0123456789abcdef"))

    async def run() -> list[bytes]:
        async with answering(old) as site:
            # more requests than threads: some wait
            asking = [asyncio.create_task(request(site, "/api/v1/meters/x/energy")) for _ in range(AT_ONCE)]
            await until(lambda: threads.count() == MAX_RUNNING_PER_CLIENT)
            await site.http.exchange(new, None)
            old.close()
            reads.may_answer.set()
            answers = [*await asyncio.gather(*asking), await request(site, "/api/v1/meters/x/energy")]
            new.close()
            return answers

    *before, behind = asyncio.run(run())
    assert [answer[:12] for answer in before] == [b"HTTP/1.1 404"] * AT_ONCE
    assert behind.startswith(b"HTTP/1.1 401")


def test_threads_of_a_replaced_application_end_with_its_last_request() -> None:
    reads, threads = Reads(), NewThreads()
    reads.may_answer.set()
    app = app_of(reads)

    async def run() -> None:
        async with answering(app) as site:
            await request(site, "/api/v1/meters/x/energy")
            assert threads.count()
            app.close()
            await until(lambda: not threads.count())

    asyncio.run(run())


def test_a_streamed_csv_is_complete_after_a_reload(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads()
    begun = threading.Event()

    def csv_lines(*_: object) -> Iterator[str]:
        for number in range(LINES):
            if number == LINES // 2:
                begun.set()
                assert reads.may_answer.wait(60)
            yield f"{number}\n"

    monkeypatch.setattr(answers, "csv_lines", csv_lines)
    old, new = app_of(reads), app_of(reads, tz="Europe/Berlin")

    async def run() -> bytes:
        async with answering(old) as site:
            asking = asyncio.create_task(request(site, "/api/v1/fleet/quarters.csv?group=building:7"))
            await asyncio.to_thread(begun.wait, 30)
            await site.http.exchange(new, None)
            old.close()
            reads.may_answer.set()
            answer = await asking
            new.close()
            return answer

    answer = asyncio.run(run())
    assert b"\n%d\n" % (LINES - 1) in answer
    assert answer.endswith(b"0\r\n\r\n")


def test_history_sentence_says_why_history_is_not_written() -> None:
    assert history_sentence(ServerStub()) == history_sentence(ServerStub(history_state=writing)) == ""
    assert history_sentence(ServerStub(history_state=lambda: writing("It is full."))) == "It is full."


def test_the_routes_of_a_central_server_are_not_imported_before_they_are_asked_for() -> None:
    program = "import sys, iskra_server.runtime.server; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "iskra_server.web.app" in done.stdout and "fleet.central" not in done.stdout
