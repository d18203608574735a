"""A port in front of a server that counts its requests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from running import Server, fetch


@contextmanager
def counted(server: Server) -> Iterator[tuple[int, list[str]]]:
    """A port that passes requests on to the server, and the paths that were asked for."""
    asked: list[str] = []

    class Passing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = fetch(server.url + self.path).content
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Passing) as passing:
        thread = threading.Thread(target=passing.serve_forever)
        thread.start()
        yield passing.server_port, asked
        passing.shutdown()
        thread.join()
