"""What strangers send to the running server: whatever it is, nothing fails inside, and the meter is served on."""

import asyncio
import socket
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.web.app import all_endpoints
from iskra_server.web.http.connection import MAX_BYTES, MAX_CONNECTIONS
from running import DEADLINE_S, Server, serving, until
from trying import tries

with warnings.catch_warnings():
    # its own libraries warn of each other
    warnings.simplefilter("ignore")
    import schemathesis

TOTAL = "/api/electricity/cumulated"
SLOW = 500
BOUNDED = tries(0.2)
# endless
STREAMS = {"/api/v1/live"}
METER = "1ISK0010000001"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with attacked(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="module", params=["httptools", "h11"])
def either(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """With the one parser of HTTP and with the other, which serves where there are no wheels of the first."""
    if request.param == "httptools":
        yield server
        return
    absent = tmp_path_factory.mktemp("absent")
    (absent / "httptools.py").write_text("raise ImportError")
    with attacked(tmp_path_factory.mktemp("data"), PYTHONPATH=str(absent)) as running:
        yield running


@contextmanager
def attacked(directory: Path, **environ: str) -> Iterator[Server]:
    """One that has history; what it says in its log is held against it at the end."""
    environ |= {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(directory)}
    with serving("serve", "simulator:MT175?rate=50", environ=environ) as running:
        until(lambda: running.cumulated().status_code == 200)
        yield running
        assert running.cumulated().status_code == 200
    assert "Traceback" not in running.log
    assert len(running.log.splitlines()) < 10


@pytest.fixture(scope="module")
def described(server: Server) -> Any:
    return schemathesis.openapi.from_dict(server.get("/api/openapi.json").json())


@pytest.mark.parametrize(
    ("method", "path"), [(each.method, each.path) for each in all_endpoints() if each.path not in STREAMS]
)
def test_whatever_fits_the_description_is_answered_without_a_mistake_of_ours(
    server: Server, described: Any, method: str, path: str
) -> None:
    allowed = {200, *(status for each in all_endpoints() if each.path == path for status in each.results)}

    @BOUNDED
    @given(case=described[path][method].as_strategy())
    def ask(case: Any) -> None:
        answer = case.call(base_url=server.url)
        # 404: a path parameter that is empty or has a slash is another path; 414 and 431: too large
        assert answer.status_code in allowed | {304, 404, 414, 431}

    ask()


def raw(server: Server, data: bytes) -> bytes:
    """What comes back for these bytes."""
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=60) as client:
        with suppress(ConnectionError):
            client.sendall(data)
        answer = b""
        with suppress(ConnectionError):
            while part := client.recv(65_536):
                answer += part
        return answer


def asked(server: Server, target: bytes, *headers: bytes) -> bytes:
    lines = (b"GET " + target + b" HTTP/1.1", *(headers or (b"host: localhost",)), b"connection: close", b"", b"")
    return raw(server, b"\r\n".join(lines))


@BOUNDED
@given(data=st.binary(max_size=300))
def test_random_bytes_are_refused_or_ignored(server: Server, data: bytes) -> None:
    assert not raw(server, data + b"\r\n\r\n\0\r\n\r\n").startswith(b"HTTP/1.1 5")


@BOUNDED
@given(query=st.binary(min_size=1, max_size=200), path=st.sampled_from(["energy", "power", "registers"]))
def test_random_queries_are_misuse(server: Server, query: bytes, path: str) -> None:
    answer = asked(server, f"/api/v1/meters/{METER}/{path}?".encode() + query.translate(None, b" \r\n\t\0#"))
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200"))


@BOUNDED
@given(st.dictionaries(st.sampled_from(["from", "to", "at", "tz", "bucket", "points", "limit", "register"]), st.text()))
def test_questions_with_any_text_are_answered_or_misuse(server: Server, question: dict[str, str]) -> None:
    for path in ("energy", "power", "registers"):
        answer = server.ask(f"/api/v1/meters/{METER}/{path}", question)
        assert answer.status_code in (200, 400, 404), answer.text


@pytest.mark.parametrize(
    "target",
    [
        b"/static/../app.py",
        b"/static/%2e%2e/app.py",
        b"/static/..%2fapp.py",
        b"/static/....//app.py",
        b"/static//etc/passwd",
        b"/static/%00",
        b"/static/..\\app.py",
        b"/static/static/../../__init__.py",
        b"/../../../../etc/passwd",
        b"//etc/passwd",
        b"/static/%c0%ae%c0%ae/app.py",
        b"http://127.0.0.1:22/",
        b"/" + b"../" * 1000,
    ],
    ids=range(13),
)
def test_no_path_leads_out_of_the_pages(server: Server, target: bytes) -> None:
    answer = asked(server, target)
    assert answer[:12] in (b"HTTP/1.1 404", b"HTTP/1.1 400", b"HTTP/1.1 405") or b"<title>ISKRA" in answer
    assert b"root:" not in answer and b"import " not in answer


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((b"host: evil.example",), 421),
        ((b"host: localhost", b"host: evil.example"), 200),
        ((b"host: evil.example", b"host: localhost"), 421),
        ((b"host: localhost", b"x-forwarded-host: evil.example"), 200),
        ((b"host: evil.example", b"x-forwarded-host: localhost"), 421),
        ((b"host: localhost@evil.example",), 421),
        ((b"host: localhost.evil.example",), 421),
        ((b"host: \xff\xfe.example",), 421),
        ((b"host: " + b"a." * 5000 + b"example",), 421),
        ((b"x: y",), 200),
    ],
    ids=range(10),
)
def test_no_header_makes_another_name_of_this_server(server: Server, headers: tuple[bytes, ...], status: int) -> None:
    assert asked(server, TOTAL.encode(), *headers).startswith(b"HTTP/1.1 %d" % status)


@pytest.mark.parametrize("name", [b"cookie", b"authorization", b"if-none-match", b"last-event-id", b"accept-encoding"])
@pytest.mark.parametrize("value", [b"\xff" * 50, b"9" * 5000, b"a=b;" * 1000, b'"' * 100], ids=range(4))
def test_no_value_of_a_header_is_a_mistake(server: Server, name: bytes, value: bytes) -> None:
    for path in (b"/", TOTAL.encode(), f"/api/v1/meters/{METER}/energy".encode(), b"/static/app.js"):
        assert not asked(server, path, b"host: a", name + b": " + value).startswith(b"HTTP/1.1 5")


REFUSED = (b"HTTP/1.1 414", b"HTTP/1.1 431", b"")


def test_requests_of_any_size_end(either: Server) -> None:
    for count in (MAX_BYTES, 10 * MAX_BYTES, 200 * MAX_BYTES):
        assert raw(either, b"GET /" + b"a" * count)[:12] in REFUSED
        assert raw(either, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * (count // 6))[:12] in REFUSED


def test_500_slow_connections_do_not_hold_up_the_meter(either: Server) -> None:
    """The figures are those of bench/abuse.py; this holds that every request is answered, and soon."""
    port = int(either.url.rpartition(":")[2])
    # a connection that is kept may be the longest idle one, and be closed just when it is used again
    client = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), timeout=DEADLINE_S)

    async def attack() -> list[float]:
        writers: list[asyncio.StreamWriter] = []

        async def connect(number: int) -> None:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writers.append(writer)
                writer.write((b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: a\r\nx: ")[number % 3])

        await asyncio.gather(*(connect(number) for number in range(SLOW)))
        assert len(writers) > MAX_CONNECTIONS
        times_s = []
        for _ in range(100):
            for writer in writers[:: len(writers) // 50]:
                writer.write(b"x")
            began = time.monotonic()
            answer = await asyncio.to_thread(either.cumulated)
            times_s.append(time.monotonic() - began)
            assert answer.status_code == 200
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
        return times_s

    with client:
        times_s = asyncio.run(attack())
    assert sorted(times_s)[len(times_s) // 2] < 10
    assert Path(f"/proc/{either.process.pid}/fd").is_dir()
