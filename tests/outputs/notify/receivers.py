"""A real server on this machine that takes messages by HTTP, as ntfy and webhooks do."""

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from iskra_server.base.address import PathSecret
from iskra_server.config import NotifyConfig
from iskra_server.outputs.notify.channel import Channel, channels_from_config

PAGE = "http://pi:8080"


class HttpReceiver:
    """`posts` are the requests that it took: path, headers, JSON. It answers `status`, after `delay_s`, or closes."""

    def __init__(self, port: int = 0) -> None:
        self.posts: list[tuple[str, dict[str, str], Any]] = []
        self.attempts = 0
        self.status, self.delay_s, self.closes, self.body = 200, 0.0, False, b"{}"
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.attempts += 1
                if receiver.closes:
                    self.close_connection = True
                    return
                time.sleep(receiver.delay_s)
                if receiver.status < 300:
                    receiver.posts.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(receiver.status)
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.send_header("Content-Length", str(len(receiver.body)))
                self.end_headers()
                self.wfile.write(receiver.body)

            def log_message(self, format: str, *args: object) -> None:
                """Not on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def use_tls(self, context: ssl.SSLContext) -> None:
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def messages(self) -> list[Any]:
        return [message for _, _, message in self.posts]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def receiving(port: int = 0) -> Iterator[HttpReceiver]:
    receiver = HttpReceiver(port)
    try:
        yield receiver
    finally:
        receiver.close()


def channel(url: str, kind: Any = "ntfy", **keys: Any) -> Channel:
    """A checked channel, as the configuration has it."""
    (made,) = channels_from_config((NotifyConfig(kind=kind, url=PathSecret(url), **keys),), PAGE)
    return made
