"""A real mail server on this machine, with TLS from the beginning, STARTTLS or none."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme

from running import free_port

controller = pytest.importorskip("aiosmtpd.controller")
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword  # noqa: E402


class MailReceiver:
    """A mail server. It takes `me` with `password`; `answer` is what it says to a mail, `refused` a recipient."""

    def __init__(self, context: ssl.SSLContext | None, *, is_tls: bool, hides_starttls: bool) -> None:
        self.mails: list[EmailMessage] = []
        self.logins: list[str] = []
        self.answer, self.refused = "250 OK", ""
        self.password, self.port = b"Qpassword", free_port()
        starttls = None if is_tls or hides_starttls else context
        self._controller = controller.Controller(
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
