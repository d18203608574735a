"""Real servers on this machine that take messages: by HTTP, as ntfy and webhooks do, and by SMTP."""

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from iskra_server.base.address import PathSecret
from iskra_server.config import NotifyConfig
from iskra_server.outputs.notify.channel import Channel, channels_from_config
from running import free_port

aiosmtpd = pytest.importorskip("aiosmtpd.controller")
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword  # noqa: E402

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


class MailReceiver:
    """A mail server. It takes `me` with `password`; `answer` is what it says to a mail, `refused` a recipient."""

    def __init__(self, context: ssl.SSLContext | None, *, is_tls: bool, hides_starttls: bool) -> None:
        self.mails: list[EmailMessage] = []
        self.logins: list[str] = []
        self.answer, self.refused = "250 OK", ""
        self.password, self.port = b"Qpassword", free_port()
        starttls = None if is_tls or hides_starttls else context
        self._controller = aiosmtpd.Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=context if is_tls else None,
            tls_context=starttls,
            authenticator=self.authenticate,
            auth_require_tls=context is not None and not hides_starttls and not is_tls,
        )
        self._controller.start()

    def authenticate(self, _server: SMTP, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password == self.password, handled=False)

    async def handle_RCPT(self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address == self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return self.answer

    def close(self) -> None:
        self._controller.stop()


@contextmanager
def mail_server(
    folder: Path, *, is_tls: bool = False, hides_starttls: bool = False
) -> Iterator[tuple[MailReceiver, str]]:
    """The server, and the file of the authority that its certificate is from."""
    authority, file = trustme.CA(), folder / "authority.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(file)
    receiver = MailReceiver(context, is_tls=is_tls, hides_starttls=hides_starttls)
    try:
        yield receiver, str(file)
    finally:
        receiver.close()


def channel(url: str, kind: Any = "ntfy", **keys: Any) -> Channel:
    """A checked channel, as the configuration has it."""
    (made,) = channels_from_config((NotifyConfig(kind=kind, url=PathSecret(url), **keys),), PAGE)
    return made
