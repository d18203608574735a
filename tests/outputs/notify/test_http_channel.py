"""ntfy, Gotify and webhooks: what they are sent, and what their answers mean."""

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import trustme

from iskra_server.base.secret import Secret
from iskra_server.outputs.notify import delivery
from iskra_server.outputs.notify.channel import Channel
from iskra_server.outputs.notify.event_texts import Texts
from iskra_server.outputs.notify.failures import MessageRefused, NotSent
from iskra_server.outputs.notify.http_channel import request_of, send_by_http
from iskra_server.outputs.notify.messages import MeterMessage, Text, notification
from outputs.notify.receivers import PAGE, HttpReceiver, channel, receiving
from running import free_port

AT = datetime(2026, 11, 27, 13, 5, tzinfo=UTC)
TEXTS: Texts = {
    "en": Text("House: above 6,000 W", "7,200 W now."),
    "de": Text("Haus: über 6.000 W", "Bezug jetzt 7.200 W."),
}
VALUES = {"peak_w": Decimal("7200"), "import_wh": Decimal("1234.50")}
LOAD = MeterMessage("load", "begin", AT, TEXTS, "1 ISK 00 12345678", "House", values=VALUES)


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with receiving() as made:
        yield made


def send(made: Channel, message: MeterMessage = LOAD) -> str:
    return send_by_http(made, request_of(made, notification(message, made.language, made.page_url)))


def test_ntfy_gets_title_priority_tags_and_click(receiver: HttpReceiver) -> None:
    made = channel(f"{receiver.url}/below/our-topic", token=Secret("tk_geheim"), language="de")
    assert send(made) == "200"
    ((path, headers, message),) = receiver.posts
    assert (path, headers["Authorization"]) == ("/below/", "Bearer tk_geheim")
    assert message == {
        "topic": "our-topic",
        "title": "Haus: über 6.000 W",
        "message": "Bezug jetzt 7.200 W.",
        "priority": 4,
        "tags": ["zap"],
        "click": PAGE,
    }


def test_gotify_gets_its_own_form(receiver: HttpReceiver) -> None:
    send(channel(f"{receiver.url}/below", "gotify", token=Secret("Ageheim")))
    ((path, headers, message),) = receiver.posts
    assert (path, headers["X-Gotify-Key"], message["priority"]) == ("/below/message", "Ageheim", 8)
    assert message["extras"] == {"client::notification": {"click": {"url": PAGE}}}


def test_a_webhook_gets_everything_with_exact_numbers(receiver: HttpReceiver) -> None:
    send(channel(f"{receiver.url}/api/webhook/x%20y?a=ä", "webhook"))
    ((path, headers, message),) = receiver.posts
    assert path == "/api/webhook/x%20y?a=%C3%A4" and "Authorization" not in headers
    assert len(message.pop("id")) == 32
    assert message == {
        "event": "load",
        "phase": "begin",
        "title": "House: above 6,000 W",
        "message": "7,200 W now.",
        "priority": 4,
        "tags": ["zap"],
        "at": "2026-11-27T13:05:00.000Z",
        "meter": "1 ISK 00 12345678",
        "meter_name": "House",
        "simulated": False,
        "language": "en",
        "page_url": PAGE,
        "values": {"peak_w": 7200, "import_wh": 1234.5},
    }


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "refuses access (401). Correct notify.token"),
        (302, "redirects to another address (302). Put that address into notify.url."),
        (404, "does not know this path (404)"),
        (429, "takes no more messages for now"),
        (500, "answers with an error (500 oops *** end). It is tried again."),
    ],
)
def test_an_error_that_may_disappear_is_tried_again(receiver: HttpReceiver, status: int, sentence: str) -> None:
    receiver.status, receiver.body = status, b"oops tk_geheim\n\x1b end"
    with pytest.raises(NotSent) as raised:
        send(channel(f"{receiver.url}/topic", token=Secret("tk_geheim")))
    assert sentence in str(raised.value)


def test_a_token_that_an_answer_repeats_is_masked_before_the_answer_is_cut(receiver: HttpReceiver) -> None:
    receiver.status, receiver.body = 500, b"x" * 195 + b"tk_geheim"
    with pytest.raises(NotSent) as raised:
        send(channel(f"{receiver.url}/topic", token=Secret("tk_geheim")))
    assert "xxx***)" in str(raised.value)


def test_a_message_that_is_wrong_itself_is_refused(receiver: HttpReceiver) -> None:
    receiver.status, receiver.body = 413, b"too large"
    with pytest.raises(MessageRefused, match=r"refuses the message \(413 too large\)"):
        send(channel(f"{receiver.url}/topic"))


def test_one_that_hangs_up_or_is_not_there_is_tried_again(receiver: HttpReceiver) -> None:
    receiver.closes = True
    with pytest.raises(NotSent, match=r"cannot be reached \(Remote end closed connection"):
        send(channel(f"{receiver.url}/topic"))
    with pytest.raises(NotSent, match=r"cannot be reached \(Connection refused\)"):
        send(channel(f"http://127.0.0.1:{free_port()}/topic"))


async def within(monkeypatch: pytest.MonkeyPatch, made: Channel) -> str:
    monkeypatch.setattr(delivery, "TOTAL_S", 0.1)
    return await delivery.send(made, notification(LOAD, "en", PAGE))


def test_one_that_does_not_answer_is_given_up(receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver.delay_s = 1.0
    with pytest.raises(NotSent, match="does not answer within"):
        asyncio.run(within(monkeypatch, channel(f"{receiver.url}/topic")))


def test_a_certificate_is_checked(tmp_path_factory: pytest.TempPathFactory) -> None:
    authority, file = trustme.CA(), tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with receiving() as receiver:
        receiver.use_tls(context)
        url = f"https://127.0.0.1:{receiver.port}/topic"
        assert send(channel(url, ca_file=str(file))) == "200"
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            send(channel(url))
