"""The server of this machine is asked where it listens, and in the way that it wants to be asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from urllib.error import HTTPError

import pytest

from iskra_server.base.secret import Secret
from iskra_server.cli.ui.local_server import ask, base_url, read_body
from iskra_server.config import ServerConfig
from running import free_port, serving

TOKEN = "a-token-for-the-tests"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("192.168.1.2", "http://192.168.1.2:8080"),
        ("fe80::1", "http://[fe80::1]:8080"),
    ],
)
def test_the_server_is_asked_where_it_listens(host: str, expected: str) -> None:
    assert base_url(ServerConfig(host=host)) == expected


def test_over_tls_it_is_asked_over_tls_and_by_any_name() -> None:
    assert base_url(ServerConfig(host="0.0.0.0", tls_cert="x.pem"), "pi.local") == "https://pi.local:8080"


def test_a_server_with_a_token_is_asked_with_it() -> None:
    environ = {"IES_SERVER_TOKEN": TOKEN}
    with serving("serve", "simulator:MT175", environ=environ, headers={"authorization": f"Bearer {TOKEN}"}) as server:
        own = ServerConfig(port=int(server.url.rpartition(":")[2]), token=Secret(TOKEN))
        assert json.loads(ask(own, "/api/v1/status"))["meters"]


def test_another_program_at_the_port_sends_the_token_nowhere() -> None:
    asked: list[str] = []

    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("location", "/elsewhere")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as program:
        threading.Thread(target=program.serve_forever).start()
        with pytest.raises(HTTPError, match="302"):
            ask(ServerConfig(port=program.server_port, token=Secret(TOKEN)), "/api/v1/status")
        program.shutdown()
    assert asked == ["/api/v1/status"]


def test_nobody_there_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="refused"):
        ask(ServerConfig(port=free_port()), "/")


def test_an_answer_without_end_is_an_error() -> None:
    class Endless(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert size is not None and size > 0
            return b"x" * size

    with pytest.raises(OSError, match="longer than 16 MB"):
        read_body(Endless())
