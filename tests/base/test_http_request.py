"""A request with headers and a body, and an answer of any length. tests/sources/test_http_poll.py has what fails."""

from collections.abc import Iterator
from contextlib import contextmanager

from iskra_server.base.address import Address
from iskra_server.base.http_request import MAX_BYTES, HttpRequest
from stub_server import QuietHandler, serving_requests


@contextmanager
def echoing(size: int = 0) -> Iterator[str]:
    """The address of a server that answers with what it was sent, or with so many bytes."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said = (
                f"{self.command} {self.path} {self.headers['X-Said']} {self.headers['Authorization']} ".encode() + body
            )
            self.send_response(418)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(b"x" * size or said)

        do_POST = do_GET

    with serving_requests(Handler) as port:
        yield f"127.0.0.1:{port}"


def test_a_request_has_a_user_headers_and_a_body() -> None:
    with echoing() as place:
        got = HttpRequest(Address(f"http://me:it@{place}"), "/a?b=c", headers={"X-Said": "hello"}).send()
        assert (got.status, got.content_type) == (418, "text/plain")
        assert got.body == b"GET /a?b=c hello Basic bWU6aXQ= "
        posted = HttpRequest(Address(f"http://{place}"), "/", headers={"X-Said": "hello"}, body=b"{}").send()
        assert posted.body == b"POST / hello None {}"


def test_an_answer_without_end_is_cut() -> None:
    with echoing(3 * MAX_BYTES) as place:
        assert len(HttpRequest(Address(f"http://{place}"), "/").send().body) == MAX_BYTES + 1
