"""The limits of a connection, over real sockets, with shorter times."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send

from answering import Answering, answering, until
from iskra_server.web.http import connection
from iskra_server.web.http.connection import MAX_BYTES
from running import DEADLINE_S

ASK = b"GET /small HTTP/1.1\r\nhost: a\r\n\r\n"
HUGE = b"x" * 50_000_000
# more than the socket buffers of both sides hold
LONG = b"x" * 12_000_000
# sweeps that take longer than the shortened limits
SWEEPS = 16


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """/huge and /long send more than any buffer holds, /long all at once; /never does not answer."""
    if scope["path"] == "/never":
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    body = {"/huge": HUGE, "/long": LONG}.get(scope["path"], b"small")
    part = len(body) if scope["path"] == "/long" else 100_000
    head = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
    await send(head)
    for at in range(0, len(body), part):
        await send({"type": "http.response.body", "body": body[at : at + part], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


class Sweeping:
    """Stands for the clock and the loop of the sweeps, and counts them: time passes from one sweep to the next alone.

    A machine that stands still for a moment would end connections of which the test goes on.
    """

    def __init__(self) -> None:
        self.count = 0
        self._now_s = 0.0

    def monotonic(self) -> float:
        # no two moments are the same
        self._now_s += 1e-9
        return self._now_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.count += 1
        self._now_s += seconds


@pytest.fixture(autouse=True)
def sweeps(monkeypatch: pytest.MonkeyPatch) -> Sweeping:
    """Shortens the times; counts the sweeps over connections."""
    sweeping = Sweeping()
    for name in ("time", "asyncio"):
        monkeypatch.setattr(connection, name, sweeping)
    for name, value in {"WAITING_S": 0.3, "STUCK_S": 0.3, "SWEEP_S": 0.05, "MAX_CONNECTIONS": 8}.items():
        monkeypatch.setattr(connection, name, value)
    return sweeping


def run(work: Callable[[Answering], Awaitable[None]]) -> None:
    async def serve() -> None:
        async with answering(app) as site:
            await work(site)

    asyncio.run(serve())


async def asked(site: Answering) -> bytes:
    asking = await site.client()
    await asking.send(ASK)
    return await asking.answer()


def test_a_request_is_answered_and_another_one_on_the_same_connection() -> None:
    async def work(site: Answering) -> None:
        asking = await site.client()
        for _ in range(5):
            await asking.send(ASK)
            assert await asking.reader.readexactly(len(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nsmall"))

    run(work)


@pytest.mark.parametrize("data", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: "])
def test_a_client_that_never_completes_a_request_is_disconnected(data: bytes) -> None:
    async def work(site: Answering) -> None:
        slow = await site.client()
        await slow.send(data)
        assert await slow.rest() == b""

    run(work)


def test_slowly_sent_bytes_do_not_extend_the_time_for_a_request() -> None:
    async def work(site: Answering) -> None:
        slow = await site.client()
        await slow.send(b"GET / HTTP/1.1\r\n")
        await until(lambda: site.connections == 1)
        async with asyncio.timeout(DEADLINE_S):
            with suppress(ConnectionError):
                while slow.is_open and site.connections:
                    await slow.send(b"x: y\r\n")
                    await asyncio.sleep(0.02)

    run(work)


def test_a_client_that_keeps_sending_requests_is_not_disconnected(sweeps: Sweeping) -> None:
    async def work(site: Answering) -> None:
        asking = await site.client()
        while sweeps.count < SWEEPS:
            await asking.send(ASK)
            await asking.answer()
            await asking.reader.readexactly(5)

    run(work)


def test_a_client_that_waits_for_its_answer_is_not_disconnected(sweeps: Sweeping) -> None:
    async def work(site: Answering) -> None:
        waiting = await site.client()
        await waiting.send(b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n")
        await until(lambda: sweeps.count >= SWEEPS)
        assert waiting.is_open and site.connections == 1
        await waiting.close()
        await until(lambda: not site.connections)

    run(work)


def test_a_client_that_does_not_receive_its_answer_is_disconnected() -> None:
    async def work(site: Answering) -> None:
        stuck = await site.client()
        stuck.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await stuck.send(b"GET /huge HTTP/1.1\r\nhost: a\r\n\r\n")
        await until(lambda: site.connections == 1)
        await until(lambda: not site.connections)

    run(work)


def test_a_client_that_receives_slowly_gets_the_whole_answer() -> None:
    async def work(site: Answering) -> None:
        slow = await site.client()
        await slow.send(b"GET /huge HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        head, got = await slow.answer(), 0
        assert b"200 OK" in head
        while data := await slow.reader.read(2_000_000):
            got += len(data)
            await asyncio.sleep(0.001)
        assert got == len(HUGE)

    run(work)


POST = b"POST /never HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n"


@pytest.mark.parametrize(
    ("status", "parts"),
    [
        (414, [b"GET /" + b"a" * 2 * MAX_BYTES + b" HTTP/1.1\r\n\r\n"]),
        (431, [b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * (MAX_BYTES // 6) + b"\r\n"]),
        (431, [b"GET / HTTP/1.1\r\nx: ", b"y" * 60_000]),
        (413, [POST % 60_000 + b"x" * 60_000]),
        (413, [POST % 60_000, b"x" * 60_000]),
        (413, [POST % MAX_BYTES + b"x" * MAX_BYTES]),
        # most of it is sent after the answer
        (413, [POST % 900_000, *[b"x" * 60_000] * 15]),
    ],
)
def test_a_request_that_is_too_large_is_told_what_is(status: int, parts: list[bytes]) -> None:
    async def work(site: Answering) -> None:
        large = await site.client()
        for part in parts:
            await large.send(part)
            await asyncio.sleep(0)
        head, _, body = (await large.rest()).partition(b"\r\n\r\n")
        problem = json.loads(body)
        assert head.startswith(b"HTTP/1.1 %d " % status) and head.count(b"HTTP/1.1") == 1
        assert (problem["status"], problem["reason"]) == (status, "too_large")
        assert "16,384 bytes" in problem["detail"]
        await until(lambda: not site.connections)
        assert b"200 OK" in await asked(site)

    run(work)


def test_the_answer_to_a_request_is_not_interrupted_by_what_is_said_of_the_one_behind_it() -> None:
    async def work(site: Answering) -> None:
        sending = await site.client()
        await sending.send(b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n" + POST % 60_000)
        await until(lambda: len(site.http.server_state.tasks) == 1)
        with suppress(ConnectionError):
            await sending.send(b"x" * 60_000)
        assert await sending.rest() == b""
        await until(lambda: not site.connections)

    run(work)


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\nx: ", POST % 1_000_000_000])
def test_a_request_without_end_is_not_waited_for(head: bytes) -> None:
    async def work(site: Answering) -> None:
        endless = await site.client()
        with suppress(ConnectionError):
            await endless.send(head)
            while site.connections:
                await endless.send(b"y" * 100_000)
        await until(lambda: not site.connections)
        assert b"200 OK" in await asked(site)

    run(work)


def test_a_request_body_is_not_buffered() -> None:
    async def work(site: Answering) -> None:
        sending = await site.client()
        await sending.send(b"POST /small HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n\r\n")
        with suppress(ConnectionError):
            while site.connections:
                await sending.send(b"x" * 4096)
                await asyncio.sleep(0)
        assert not site.connections

    run(work)


def test_a_new_connection_replaces_the_one_that_was_idle_longest() -> None:
    async def work(site: Answering) -> None:
        first = await site.client()
        await until(lambda: site.connections == 1)
        others = [await site.client() for _ in range(connection.MAX_CONNECTIONS - 1)]
        await until(lambda: site.connections == connection.MAX_CONNECTIONS)
        assert b"200 OK" in await asked(site)
        assert await first.rest() == b""
        assert all(other.is_open for other in others)

    run(work)


def test_connections_with_a_running_request_stay_open() -> None:
    async def work(site: Answering) -> None:
        busy = [await site.client() for _ in range(connection.MAX_CONNECTIONS)]
        for client in busy:
            await client.send(b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n")
        await until(lambda: len(site.http.server_state.tasks) == connection.MAX_CONNECTIONS)
        late = await site.client()
        assert await late.rest() == b""
        assert all(client.is_open for client in busy)
        for client in busy:
            await client.close()
        await until(lambda: not site.connections)
        assert b"200 OK" in await asked(site)

    run(work)


def test_a_client_with_all_connections_loses_one_to_another() -> None:
    async def work(site: Answering) -> None:
        busy = [await site.client() for _ in range(connection.MAX_CONNECTIONS)]
        for client in busy:
            await client.send(b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n")
        await until(lambda: len(site.http.server_state.tasks) == connection.MAX_CONNECTIONS)
        other = await site.client("127.0.0.2")
        await other.send(ASK)
        assert b"200 OK" in await other.answer()
        await until(lambda: [client.is_open for client in busy].count(False) == 1)
        for client in busy:
            await client.close()

    run(work)


def test_unreceived_answers_are_limited_and_those_of_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MAX_UNREAD": 30_000_000, "STUCK_S": 60, "MAX_CONNECTIONS": 100}.items():
        monkeypatch.setattr(connection, name, value)

    async def work(site: Answering) -> None:
        honest = await site.client("127.0.0.2")
        honest.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await honest.send(b"GET /long HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        await until(lambda: len(site.http.server_state.tasks) == 1)
        for _ in range(20):
            stuck = await site.client()
            stuck.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await stuck.send(b"GET /long HTTP/1.1\r\nhost: a\r\n\r\n")
            await asyncio.sleep(0)
            unread = [open_.unread_bytes for open_ in site.http.connections]  # type: ignore[attr-defined]
            assert sum(unread) <= 30_000_000
        await until(lambda: site.connections < 7)
        honest.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert len(await honest.rest()) > len(LONG)

    run(work)


@pytest.mark.parametrize(
    "data",
    [
        *(b"\x16\x03\x01\x02\x00", b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0" * 100),
        *(b"GET http:// HTTP/1.1\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n"),
        *(
            b"GET /\xff HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
            b"G\xc3\xa4T / HTTP/1.1\r\n\r\n",
        ),
        b"GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nzz\r\n",
    ],
    ids=range(12),
)
def test_a_malformed_request_ends_only_its_own_connection(data: bytes) -> None:
    async def work(site: Answering) -> None:
        strange = await site.client()
        await strange.send(data)
        answer = await strange.rest()
        assert b" 5" not in answer[:12]
        assert b"200 OK" in await asked(site)

    run(work)
