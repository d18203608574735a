"""E-mail against a real mail server: TLS from the beginning, STARTTLS, and none."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from iskra_server.base.secret import Secret
from iskra_server.outputs.notify.channel import Channel
from iskra_server.outputs.notify.failures import MessageRefused, NotSent
from iskra_server.outputs.notify.mail import Mail
from iskra_server.outputs.notify.messages import MeterMessage, Text, notification
from outputs.notify.mail_receiver import mail_server
from outputs.notify.receivers import PAGE, channel
from running import free_port

AT = datetime(2026, 11, 27, 13, 5, tzinfo=UTC)
SILENT = MeterMessage(
    "silent", "begin", AT, {"de": Text("Zähler: seit 14:05 Uhr kein Wert", "Prüfen Sie den Lesekopf.")}
)
PEOPLE: Any = {"sender": "meter@example.org", "recipients": "me@example.org, you@example.org", "language": "de"}
LOGIN: Any = {"user": "me", "password": Secret("Qpassword")}


def send(made: Channel) -> str:
    return Mail(made, notification(SILENT, made.language, made.page_url)).send()


@pytest.mark.parametrize("is_tls", [True, False])
def test_a_mail_arrives_encrypted_with_a_login(tmp_path: Path, is_tls: bool) -> None:
    with mail_server(tmp_path, is_tls=is_tls) as (server, file):
        url = f"smtp{'s' if is_tls else ''}://127.0.0.1:{server.port}"
        assert send(channel(url, "email", ca_file=file, **PEOPLE, **LOGIN)) == "250"
        (mail,) = server.mails
    assert server.logins == ["me"]
    assert (mail["Subject"], mail["From"]) == ("Zähler: seit 14:05 Uhr kein Wert", "meter@example.org")
    assert mail["To"] == "me@example.org, you@example.org"
    assert (mail["Date"], mail["Auto-Submitted"]) == ("Fri, 27 Nov 2026 13:05:00 +0000", "auto-generated")
    assert mail["Message-ID"].endswith("@example.org>")
    assert mail.get_content().splitlines() == ["Prüfen Sie den Lesekopf.", "", PAGE]


def test_on_this_machine_it_may_be_unencrypted(tmp_path: Path) -> None:
    with mail_server(tmp_path, hides_starttls=True) as (server, _):
        assert send(channel(f"smtp://127.0.0.1:{server.port}", "email", **PEOPLE)) == "250"
        assert len(server.mails) == 1


def test_to_another_machine_nothing_is_sent_unencrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Channel, "is_local", False)
    with mail_server(tmp_path, hides_starttls=True) as (server, _):
        with pytest.raises(NotSent, match=r"offers no STARTTLS, so nothing was sent; try smtps://"):
            send(channel(f"smtp://127.0.0.1:{server.port}", "email", **PEOPLE, **LOGIN))
        assert (server.mails, server.logins) == ([], [])


@pytest.mark.parametrize("is_tls", [True, False])
def test_a_certificate_is_checked(tmp_path: Path, is_tls: bool) -> None:
    with mail_server(tmp_path, is_tls=is_tls) as (server, _):
        url = f"smtp{'s' if is_tls else ''}://127.0.0.1:{server.port}"
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            send(channel(url, "email", **PEOPLE, **LOGIN))
        assert server.mails == []


def test_a_wrong_password_is_told_and_not_shown(tmp_path: Path) -> None:
    with mail_server(tmp_path) as (server, file):
        server.password = b"another"
        made = channel(f"smtp://127.0.0.1:{server.port}", "email", ca_file=file, **PEOPLE, **LOGIN)
        with pytest.raises(NotSent, match=r"refuses the login \(535\). Correct notify.user and notify.password."):
            send(made)


def test_a_mail_is_refused_for_good_or_for_now(tmp_path: Path) -> None:
    with mail_server(tmp_path) as (server, file):
        made = channel(f"smtp://127.0.0.1:{server.port}", "email", ca_file=file, **PEOPLE)
        server.answer = "451 come back later"
        with pytest.raises(NotSent, match=r"does not take the message now \(451 come back later\)"):
            send(made)
        server.answer = "554 we do not like it"
        with pytest.raises(MessageRefused, match=r"refuses the message \(554 we do not like it\)"):
            send(made)
        server.answer, server.refused = "250 OK", "you@example.org"
        with pytest.raises(MessageRefused, match=r"refuses you@example.org; the other recipients have the message"):
            send(made)
        assert len(server.mails) == 1


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(NotSent, match=r"smtp://127.0.0.1:\d+ cannot be reached \(Connection refused\)"):
        send(channel(f"smtp://127.0.0.1:{free_port()}", "email", **PEOPLE))
