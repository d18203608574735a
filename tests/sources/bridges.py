"""A bridge that serves the newest telegram of its head over HTTP, as Tibber's does: password, slow, cut, or silent."""

import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USER, PASSWORD = "admin", "AD56-54BA"


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what some tests do."""


class FakeBridge:
    """`body` is served at `path` of `node`; `requests` are the paths that were asked for."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.body = b""
        self.path, self.node = "/data.json", "1"
        self.status = 200
        self.headers: dict[str, str] = {"Content-Type": "application/json"}
        self.requests: list[str] = []
        self.authorizations: list[str | None] = []
        # seconds until the answer; cut: bytes that are not sent of those announced; drip: seconds between bytes
        self.delay_s = self.drip_s = 0.0
        # so many answers from now on are errors
        self.failures = 0
        self.cut = 0
        self.closing = threading.Event()
        bridge = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                bridge.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Not on the terminal."""

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self._scheme, self._host = "http", "127.0.0.1"
        if tls:
            self._scheme, self._host = "https", "localhost"
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://{USER}:{PASSWORD}@{self._host}:{self.server.server_port}"

    @property
    def shown(self) -> str:
        return self.url.replace(PASSWORD, "***")

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests.append(handler.path)
        self.authorizations.append(handler.headers["Authorization"])
        self.closing.wait(self.delay_s)
        path, _, query = handler.path.partition("?")
        expected = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
        if handler.headers["Authorization"] != expected:
            self._send(handler, 401, b"", {"WWW-Authenticate": 'Basic realm="Access Tibber Pulse hub"'})
        elif path != self.path or query != f"node_id={self.node}":
            self._send(handler, 404, b"Nothing matches the given URI", {})
        elif self.failures:
            self.failures -= 1
            self._send(handler, 503, b"", {})
        else:
            self._send(handler, self.status, self.body, self.headers)

    def _send(self, handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        body = body[: len(body) - self.cut]
        if not self.drip_s:
            handler.wfile.write(body)
            return
        for place in range(len(body)):
            handler.wfile.write(body[place : place + 1])
            handler.wfile.flush()
            if self.closing.wait(self.drip_s):
                return


@contextmanager
def bridge(tls: ssl.SSLContext | None = None) -> Iterator[FakeBridge]:
    made = FakeBridge(tls)
    thread = threading.Thread(target=made.server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield made
    finally:
        made.closing.set()
        made.server.shutdown()
        thread.join()
        made.server.server_close()
