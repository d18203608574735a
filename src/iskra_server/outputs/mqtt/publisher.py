"""The MQTT output: connects, publishes, and begins again when the broker goes. It ends only when it is cancelled."""

from collections.abc import Callable, Sequence

from iskra_server.diagnosis.status import Status
from iskra_server.outputs.mqtt.announcer import Announcer
from iskra_server.outputs.mqtt.catalogue import KnownMeter
from iskra_server.outputs.mqtt.connection import Broker, Link, keep_connected
from iskra_server.outputs.mqtt.discovery import DiscoveryPayloads
from iskra_server.outputs.mqtt.session import Session
from iskra_server.outputs.mqtt.settings import Settings
from iskra_server.outputs.mqtt.topics import Topics
from iskra_server.outputs.state import OutputHealth
from iskra_server.reading.hub import Hub


class Publisher:
    def __init__(self, *, settings: Settings, hub: Hub, statuses: Callable[[], Sequence[Status]], version: str) -> None:
        self._settings = settings
        self._hub = hub
        self._statuses = statuses
        self._topics = Topics(settings.base, settings.prefix)
        self._author = DiscoveryPayloads(topics=self._topics, language=settings.language, version=version)
        self._catalogue: dict[str, KnownMeter] = {}
        self.standing = OutputHealth("mqtt")

    async def run(self) -> None:
        address = self._settings.broker
        await keep_connected(
            Broker(self._settings, self._topics.server),
            self.standing,
            lambda link: self._session(link).run(),
            connected=f"publishing to {address}",
            lost=lambda error: (
                f"Nothing is published to {address}: {self._settings.masked(error)}. {error.advice}; it is tried again."
            ),
        )

    def _session(self, link: Link) -> Session:
        announcer = Announcer(
            link=link, settings=self._settings, topics=self._topics, author=self._author, standing=self.standing
        )
        return Session(
            link=link,
            settings=self._settings,
            topics=self._topics,
            announcer=announcer,
            hub=self._hub,
            statuses=self._statuses,
            catalogue=self._catalogue,
            standing=self.standing,
        )
