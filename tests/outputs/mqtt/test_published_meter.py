"""What a connection has published of a meter, and when its next message is due."""

from iskra_server.mqtt.message import Message
from iskra_server.outputs.mqtt.published_meter import PublishedMeter, is_message_due
from samples import sample


def test_the_first_message_is_due_and_the_next_after_a_pause() -> None:
    assert is_message_due(PublishedMeter().state_at_s, 10.0, sample(at_s=5.0))
    assert not is_message_due(5.0, 10.0, sample(at_s=14.9))
    assert is_message_due(5.0, 10.0, sample(at_s=15.0))


def test_a_connection_that_has_published_nothing_has_nothing_twice() -> None:
    published = PublishedMeter()
    assert published.is_new("cost", b"1")
    published.newest["cost"] = Message("cost", b"1")
    assert published.is_new("cost", b"2") and not published.is_new("cost", b"1")


def test_without_a_pause_every_telegram_is_published() -> None:
    assert is_message_due(5.0, 0.0, sample(at_s=5.0))
