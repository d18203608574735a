"""What one connection has published of a meter, and when its next message is due."""

from iskra_server.meter.reading import Sample
from iskra_server.mqtt.message import Message


class PublishedMeter:
    """Moments are boot time."""

    def __init__(self) -> None:
        self.is_online = False
        self.is_announced = False
        # topic -> its newest message
        self.newest: dict[str, Message] = {}
        self.state_at_s: float | None = None
        self.counters_at_s: float | None = None

    def is_new(self, topic: str, payload: bytes) -> bool:
        newest = self.newest.get(topic)
        return newest is None or newest.payload != payload


def is_message_due(last_s: float | None, every_s: float, sample: Sample) -> bool:
    """Whether a message is due with a sample; `last_s` is when the last one was published."""
    return last_s is None or sample.monotonic_s - last_s >= every_s
