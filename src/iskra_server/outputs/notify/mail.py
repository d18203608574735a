"""Sends a message by e-mail: smtps:// with TLS from the beginning, smtp:// with STARTTLS.

A mail server on this machine may be without TLS; to any other, neither message nor password is sent unencrypted.
"""

import smtplib
import socket
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from iskra_server.base.http_request import authorities
from iskra_server.base.one_line import one_line
from iskra_server.base.secret import masking
from iskra_server.outputs.notify.channel import Channel
from iskra_server.outputs.notify.failures import MessageRefused, NotSent
from iskra_server.outputs.notify.messages import Notification

TIMEOUT_S = 10.0
_SUBMISSION, _SUBMISSION_TLS, _RELAY = 587, 465, 25
_PERMANENT = 500


class Mail:
    """One message on its way: `send` runs in a thread of its own, `abort` ends it."""

    def __init__(self, channel: Channel, message: Notification) -> None:
        """Raises NotSent if the certificates of the channel cannot be read."""
        self._channel = channel
        self._mail = mail_of(channel, message)
        self._context = channel.context() or authorities()
        self._server: smtplib.SMTP | None = None

    def send(self) -> str:
        """Blocks; the answer in words. Raises NotSent or MessageRefused."""
        place = self._channel.place
        try:
            refused = self._converse()
        except smtplib.SMTPAuthenticationError as error:
            raise NotSent("login", place=place, reason=error.smtp_code) from None
        except smtplib.SMTPNotSupportedError as error:
            raise NotSent("not_supported", place=place, reason=error) from None
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as error:
            code, said = _answer(error)
            said = self._masked(f"{code} {said}")
            if code >= _PERMANENT:
                raise MessageRefused("refused", place=place, reason=said) from None
            raise NotSent("not_now", place=place, reason=said) from None
        except (smtplib.SMTPException, OSError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
            raise NotSent("unreachable", place=place, reason=self._masked(reason)) from None
        if refused:
            raise MessageRefused("recipients", place=place, reason=", ".join(refused))
        return "250"

    def abort(self) -> None:
        """Ends `send` in its thread."""
        if self._server and self._server.sock:
            with suppress(OSError):
                self._server.sock.shutdown(socket.SHUT_RDWR)

    def _converse(self) -> list[str]:
        """The recipients that were refused while others were not. Raises what smtplib raises."""
        channel, server = self._channel, self._connected()
        try:
            if channel.user and channel.password:
                server.login(channel.user, channel.password.reveal())
            refused = server.send_message(self._mail, channel.sender, channel.recipients)
        except BaseException:
            server.close()
            raise
        # the mail is delivered, whatever the server answers to this
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
        return list(refused)

    def _connected(self) -> smtplib.SMTP:
        # their constructors connect
        url, channel, name = self._channel.url, self._channel, socket.gethostname()
        if url.scheme == "smtps":
            port = url.port or _SUBMISSION_TLS
            self._server = smtplib.SMTP_SSL(url.host, port, name, timeout=TIMEOUT_S, context=self._context)
            return self._server
        port = url.port or (_RELAY if channel.is_local else _SUBMISSION)
        self._server = server = smtplib.SMTP(url.host, port, name, timeout=TIMEOUT_S)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=self._context)
            server.ehlo()
        elif not channel.is_local:
            server.close()
            raise NotSent("no_starttls", place=channel.place)
        return server

    def _masked(self, text: str) -> str:
        return one_line(masking(self._channel.secrets)(text))


def mail_of(channel: Channel, message: Notification) -> EmailMessage:
    """Plain text in UTF-8, marked as made by a program (RFC 3834)."""
    mail = EmailMessage()
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.recipients)
    mail["Subject"] = message.title
    mail["Date"] = format_datetime(datetime.fromisoformat(message.at))
    # a mail that is sent twice has one id
    mail["Message-ID"] = f"<{message.id}@{channel.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{message.message}\n\n{message.page_url}\n")
    return mail


def _answer(error: smtplib.SMTPException) -> tuple[int, str]:
    text: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        # of several, one that may be taken later
        code, text = min(error.recipients.values(), key=lambda answer: answer[0])
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    else:
        return 0, str(error)
    return code, text.decode(errors="replace") if isinstance(text, bytes) else text
