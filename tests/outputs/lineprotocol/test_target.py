"""Which address, and what each kind of answer means."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import pytest

from iskra_server.outputs.lineprotocol.target import Refused, Target, Unavailable, target_of, write
from running import free_port


def test_without_a_bucket_it_is_influxdb_1() -> None:
    target = target_of(url="http://pi:8086/", database="my data")
    assert target.url == "http://pi:8086/write?db=my+data&precision=ms"


def test_with_a_bucket_it_is_influxdb_2() -> None:
    target = target_of(url="https://pi/influx", bucket="iskra", org="home", token="secret")
    assert target.url == "https://pi/influx/api/v2/write?bucket=iskra&org=home&precision=ms"
    assert target.authorization.reveal() == "Token secret"


@pytest.mark.parametrize(
    "target",
    [
        target_of(url="http://pi", database="x", user="me", password="pass:word"),
        target_of(url="http://me:pass%3Aword@pi", database="x"),
    ],
)
def test_user_and_password_stand_in_a_header_and_never_in_an_address(target: Target) -> None:
    assert target.authorization.reveal() == "Basic bWU6cGFzczp3b3Jk"
    assert "pass" not in target.url + target.shown


@pytest.mark.parametrize("url", ["pi:8086", "ftp://pi", "http://", "http://a..b:8086", "http://pi/?db=x"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ValueError, match="such as http"):
        target_of(url=url)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [({"url": "http://pi:80861"}, "the port must be a number"), ({"token": "schlüssel"}, "token has")],
)
def test_what_could_never_be_sent_is_told(keys: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        target_of(**{"url": "http://pi:8086"} | keys)


@contextmanager
def answering(status: int, body: bytes) -> Iterator[Target]:
    """A server that answers everything in one way: answers that no installed database gives when asked for them."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield target_of(url=f"http://127.0.0.1:{server.server_port}", database="iskra")
        server.shutdown()
        thread.join()


def written(target: Target) -> None:
    async def run() -> None:
        async with httpx.AsyncClient() as client:
            await write(client, target, b"electricity power=1\n")

    asyncio.run(run())


@pytest.mark.parametrize("status", [200, 204])
def test_points_that_are_taken_are_taken(status: int) -> None:
    with answering(status, b"" if status == 204 else b"{}") as target:
        written(target)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_points_that_are_refused_are_refused_for_ever(status: int) -> None:
    with answering(status, b'{"error":"field type\nconflict"}') as target, pytest.raises(Refused) as caught:
        written(target)
    assert str(caught.value) == f'{status} {{"error":"field type conflict"}}'


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "refuses who we say we are (401). Correct outputs.influx.token, or user and password."),
        (403, "refuses who we say we are (403). Correct outputs.influx.token, or user and password."),
        (404, "does not know where to write (away). Create iskra, or correct outputs.influx.url, database or bucket."),
        (301, "does not take points (301 away). Look into its log."),
        (429, "does not take points (429 away). Look into its log."),
        (503, "does not take points (503 away). Look into its log."),
    ],
)
def test_everything_else_may_change_and_is_one_sentence(status: int, sentence: str) -> None:
    with answering(status, b"away") as target, pytest.raises(Unavailable) as caught:
        written(target)
    assert str(caught.value) == f"{target.shown} {sentence}"


def test_nobody_there_is_one_sentence() -> None:
    target = target_of(url=f"http://127.0.0.1:{free_port()}", database="x")
    with pytest.raises(Unavailable, match=r"cannot be reached \(.+\)\. Start it, or correct outputs\.influx\.url\.$"):
        written(target)


def test_somebody_who_says_nothing_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iskra_server.outputs.lineprotocol.target.TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = target_of(url=f"http://127.0.0.1:{silent.getsockname()[1]}", database="x")
        with pytest.raises(Unavailable, match=r"cannot be reached \(no answer in time\)"):
            written(target)
