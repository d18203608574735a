"""Which address, and what each kind of answer means."""

import asyncio
import gzip
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import httpx
import pytest

from iskra_server.config import ConfigError
from iskra_server.outputs.influx.target import PointsRefused, Target, Unavailable, write
from outputs.influx.databases import target_of
from running import free_port
from stub_server import QuietHandler, serving_requests


def test_without_a_bucket_it_is_influxdb_1() -> None:
    target = target_of("http://pi:8086/", database="my data")
    assert target.url == "http://pi:8086/write?db=my+data&precision=ms"


def test_with_a_bucket_it_is_influxdb_2() -> None:
    target = target_of("https://pi/influx", bucket="iskra", org="home", token="secret")
    assert target.url == "https://pi/influx/api/v2/write?bucket=iskra&org=home&precision=ms"
    assert target.authorization.reveal() == "Token secret"


@pytest.mark.parametrize(
    "target",
    [
        target_of("http://pi", database="x", user="me", password="pass:word"),
        target_of("http://me:pass%3Aword@pi", database="x"),
    ],
)
def test_user_and_password_stand_in_a_header_and_never_in_an_address(target: Target) -> None:
    assert target.authorization.reveal() == "Basic bWU6cGFzczp3b3Jk"
    assert "pass" not in target.url + target.shown


@pytest.mark.parametrize("url", ["pi:8086", "ftp://pi", "http://", "http://a..b:8086", "http://pi/?db=x"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ConfigError, match="such as http"):
        target_of(url)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [({"url": "http://pi:80861"}, "the port must be a number"), ({"token": "schlüssel"}, "token has")],
)
def test_what_could_never_be_sent_is_told(keys: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        target_of(**{"url": "http://pi:8086"} | keys)


@contextmanager
def answering(status: int, body: bytes, **headers: str) -> Iterator[Target]:
    """A server that answers everything in one way: answers that no installed database gives when asked for them."""

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            for name, value in ({"content-length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            # whoever has read enough hangs up
            with suppress(OSError):
                self.wfile.write(body)

    with serving_requests(Handler) as port:
        yield target_of(url=f"http://127.0.0.1:{port}", database="iskra")


def written(target: Target) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(timeout=60, verify=False) as client:
            await write(client, target, b"electricity power=1\n")

    asyncio.run(run())


def test_points_that_are_taken_are_taken() -> None:
    with answering(204, b"") as target:
        written(target)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_program_that_is_content_with_anything_has_taken_nothing(status: int) -> None:
    with answering(status, b"<html>") as target, pytest.raises(Unavailable) as caught:
        written(target)
    assert f"answers {status}, where a database answers 204." in str(caught.value)


@pytest.mark.parametrize("packed", [False, True])
def test_of_an_endless_answer_the_beginning_is_read(packed: bool) -> None:
    long = b"x" * 50_000_000
    body, headers = (gzip.compress(long, 1), {"content-encoding": "gzip"}) if packed else (long, {})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with answering(500, body, **headers) as target, pytest.raises(Unavailable) as caught:
        written(target)
    said = "Internal Server Error" if packed else "x" * 200
    assert str(caught.value) == f"{target.shown} does not accept points (500 {said}). Check its log."
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_what_it_says_is_one_line_of_text() -> None:
    with answering(500, b"a\x1b[2J\0\nb\xff") as target, pytest.raises(Unavailable, match=r"\(500 a \[2J b\ufffd\)"):
        written(target)


def test_an_answer_that_drips_in_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iskra_server.outputs.influx.target.TOTAL_S", 0.3)
    stop = Event()

    def drip(listening: socket.socket) -> None:
        client, _ = listening.accept()
        with client, suppress(OSError):
            client.sendall(b"HTTP/1.1 500 Oh\r\ncontent-length: 100000\r\n\r\n")
            while not stop.wait(0.02):
                client.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=drip, args=(listening,))
        thread.start()
        target = target_of(url=f"http://127.0.0.1:{listening.getsockname()[1]}", database="x")
        with pytest.raises(Unavailable, match=r"cannot be reached \(no answer in time\)"):
            written(target)
        stop.set()
        thread.join()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_points_that_are_refused_are_refused_for_ever(status: int) -> None:
    with answering(status, b'{"error":"field type\nconflict"}') as target, pytest.raises(PointsRefused) as caught:
        written(target)
    assert str(caught.value) == f'{status} {{"error":"field type conflict"}}'


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "refuses the credentials (401). Correct outputs.influx.token, or user and password."),
        (403, "refuses the credentials (403). Correct outputs.influx.token, or user and password."),
        (
            404,
            "has no such database or bucket (away). Create iskra, or correct outputs.influx.url, database or bucket.",
        ),
        (301, "does not accept points (301 away). Check its log."),
        (429, "does not accept points (429 away). Check its log."),
        (503, "does not accept points (503 away). Check its log."),
    ],
)
def test_everything_else_may_change_and_is_one_sentence(status: int, sentence: str) -> None:
    with answering(status, b"away") as target, pytest.raises(Unavailable) as caught:
        written(target)
    assert str(caught.value) == f"{target.shown} {sentence}"
    german = {401: "lehnt die Zugangsdaten ab", 403: "lehnt die Zugangsdaten ab", 404: "hat diese Datenbank oder"}
    assert caught.value.german.startswith(f"{target.shown} {german.get(status, 'nimmt keine Messpunkte an')}")


def test_nobody_there_is_one_sentence() -> None:
    target = target_of(url=f"http://127.0.0.1:{free_port()}", database="x")
    with pytest.raises(Unavailable, match=r"cannot be reached \(.+\)\. Start it, or correct outputs\.influx\.url\.$"):
        written(target)


def test_somebody_who_says_nothing_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iskra_server.outputs.influx.target.TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = target_of(url=f"http://127.0.0.1:{silent.getsockname()[1]}", database="x")
        with pytest.raises(Unavailable, match=r"cannot be reached \(no answer in time\)"):
            written(target)


def test_an_answer_that_repeats_the_credentials_is_told_without_them() -> None:
    body = b"no right for me:pass/word, Basic bWU6cGFzcy93b3Jk, pass%2Fword"
    with answering(500, body) as plain:
        keys = {"url": plain.shown, "database": "x", "user": "me", "password": "pass/word"}
        with pytest.raises(Unavailable) as caught:
            written(target_of(**keys))
    assert "no right for ***, Basic ***, ***" in str(caught.value)
