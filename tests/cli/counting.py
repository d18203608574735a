"""A port in front of a server that counts its requests."""

from collections.abc import Iterator
from contextlib import contextmanager

from running import Server, fetch
from stub_server import QuietHandler, serving_requests


@contextmanager
def counted(server: Server) -> Iterator[tuple[int, list[str]]]:
    """A port that passes requests on to the server, and the paths that were asked for."""
    asked: list[str] = []

    class Passing(QuietHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = fetch(server.url + self.path).content
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving_requests(Passing) as port:
        yield port, asked
