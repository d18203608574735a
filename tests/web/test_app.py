"""The application as a whole, also while another one takes its place."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from answering import Answering, answering, until
from iskra_server.base.secret import Secret
from iskra_server.reading.hub import Hub
from iskra_server.web.api import fleet
from iskra_server.web.app import App, create_app
from iskra_server.web.http.settings import Settings
from iskra_server.web.http.share import AT_ONCE_EACH
from web.serving import Site, arrived

AT_ONCE = 8
LINES = 30_000


def test_head_is_answered_like_get_without_a_body() -> None:
    site = Site(arrived())
    for path in ("/", "/api/v1/meters", "/healthz"):
        answer = site.get(path, "HEAD")
        assert (answer.status_code, answer.headers["content-type"]) == (200, site.get(path).headers["content-type"])


def test_a_path_without_a_route_is_not_found() -> None:
    assert Site().get("/api/electricity").status_code == 404


class Reads:
    """History that answers when it is allowed to."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()

    def replacement_chain(self, _names: object) -> list[Any]:
        assert self.may_answer.wait(30)
        return []

    def meters(self) -> list[Any]:
        return []


def app_of(reads: Any, **settings: Any) -> App:
    return create_app(hub=Hub(), statuses=list, settings=Settings("1", **settings), history=lambda: reads)


async def asked(site: Answering, path: str) -> bytes:
    client = await site.client()
    await client.send(b"GET %b HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n" % path.encode())
    return await client.rest()


class NewThreads:
    """Counts the threads that answer from history and were not there before."""

    def __init__(self) -> None:
        self._before = set(threading.enumerate())

    def count(self) -> int:
        return sum(thread.name.startswith("history") for thread in set(threading.enumerate()) - self._before)


def test_running_requests_finish_with_the_application_that_they_began_with() -> None:
    reads, threads = Reads(), NewThreads()
    old, new = app_of(reads), app_of(reads, token=Secret("0123456789abcdef"))

    async def run() -> list[bytes]:
        async with answering(old) as site:
            # more than there are threads: some wait for one
            asking = [asyncio.create_task(asked(site, "/api/v1/meters/x/energy")) for _ in range(AT_ONCE)]
            await until(lambda: threads.count() == AT_ONCE_EACH)
            await site.http.exchange(new, None)
            old.close()
            reads.may_answer.set()
            answers = [*await asyncio.gather(*asking), await asked(site, "/api/v1/meters/x/energy")]
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
            await asked(site, "/api/v1/meters/x/energy")
            assert threads.count()
            app.close()
            await until(lambda: not threads.count())

    asyncio.run(run())


def test_a_csv_that_is_streamed_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads()
    begun = threading.Event()

    def rows_of(*_: object) -> Iterator[str]:
        for number in range(LINES):
            if number == LINES // 2:
                begun.set()
                assert reads.may_answer.wait(30)
            yield f"{number}\n"

    monkeypatch.setattr(fleet, "rows_of", rows_of)
    old, new = app_of(reads), app_of(reads, tz="Europe/Berlin")

    async def run() -> bytes:
        async with answering(old) as site:
            asking = asyncio.create_task(asked(site, "/api/v1/fleet/quarters.csv?group=building:7"))
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
