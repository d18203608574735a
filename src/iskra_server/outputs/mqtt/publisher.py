"""The MQTT output: connects, publishes, and begins again when the broker goes. It ends only when it is cancelled."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from aiomqtt import MqttError

from iskra_server.diagnosis.chain import Status
from iskra_server.diagnosis.output import Standing
from iskra_server.hub import Hub
from iskra_server.outputs.mqtt.announcer import Announcer
from iskra_server.outputs.mqtt.catalogue import KnownMeter
from iskra_server.outputs.mqtt.connection import Broker, Link, delays_s
from iskra_server.outputs.mqtt.discovery import Author
from iskra_server.outputs.mqtt.session import Session
from iskra_server.outputs.mqtt.settings import Settings
from iskra_server.outputs.mqtt.topics import Topics

log = logging.getLogger(__name__)


class Publisher:
    def __init__(self, *, settings: Settings, hub: Hub, statuses: Callable[[], Sequence[Status]], version: str) -> None:
        self._settings = settings
        self._hub = hub
        self._statuses = statuses
        self._topics = Topics(settings.base, settings.prefix)
        self._author = Author(topics=self._topics, language=settings.language, version=version)
        self._catalogue: dict[str, KnownMeter] = {}
        self.standing = Standing("mqtt")

    async def run(self) -> None:
        broker = Broker(self._settings, self._topics.server)
        delays = delays_s()
        while True:
            try:
                async with broker.connected() as link:
                    self._back()
                    delays = delays_s()
                    await self._session(link).run()
            except MqttError as error:
                self._gone(error)
            await asyncio.sleep(next(delays))

    def _session(self, link: Link) -> Session:
        announcer = Announcer(link=link, settings=self._settings, topics=self._topics, author=self._author)
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

    def _back(self) -> None:
        self.standing.back()
        log.info("publishing to %s", self._settings.broker)

    def _gone(self, error: MqttError) -> None:
        broker, said = self._settings.broker, self._settings.masked(error)
        if self.standing.gone(
            f"Nothing is published to {broker}: {said}. See that the broker runs; it is tried again."
        ):
            log.warning("nothing is published to %s: %s; it is tried until it works", broker, said)
