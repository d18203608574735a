"""When the next message of a meter is due."""

from iskra_server.outputs.mqtt.published_meter import PublishedMeter, is_time
from samples import sample


def test_the_first_message_is_due_and_the_next_after_a_pause() -> None:
    assert is_time(PublishedMeter().state_at_s, 10.0, sample(at_s=5.0))
    assert not is_time(5.0, 10.0, sample(at_s=14.9))
    assert is_time(5.0, 10.0, sample(at_s=15.0))


def test_without_a_pause_every_telegram_is_published() -> None:
    assert is_time(5.0, 0.0, sample(at_s=5.0))
