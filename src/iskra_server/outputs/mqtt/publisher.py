"""The MQTT output: publishes every meter, and connects again when the broker goes."""

from collections.abc import Callable, Sequence

from iskra_server.diagnosis.status import Status
from iskra_server.mqtt.broker import Broker
from iskra_server.mqtt.broker_connection import BrokerConnection
from iskra_server.mqtt.message import Message
from iskra_server.outputs.mqtt.broker_settings import MqttSettings
from iskra_server.outputs.mqtt.catalogue import KnownMeter
from iskra_server.outputs.mqtt.discovery import DiscoveryPayloads
from iskra_server.outputs.mqtt.keep_connected import keep_connected
from iskra_server.outputs.mqtt.session import Session
from iskra_server.outputs.mqtt.topics import OFFLINE, Topics
from iskra_server.outputs.state import OutputHealth
from iskra_server.reading.hub import Hub


class Publisher:
    """`run` ends only when it is cancelled."""

    def __init__(
        self, *, settings: MqttSettings, hub: Hub, statuses: Callable[[], Sequence[Status]], version: str
    ) -> None:
        self._settings = settings
        self._hub = hub
        self._statuses = statuses
        self._topics = Topics(settings.base, settings.prefix)
        self._payloads = DiscoveryPayloads(topics=self._topics, language=settings.language, version=version)
        self._catalogue: dict[str, KnownMeter] = {}
        self.health = OutputHealth("mqtt")

    async def run(self) -> None:
        address = self._settings.broker
        await keep_connected(
            Broker(self._settings, Message(self._topics.server, OFFLINE)),
            self.health,
            self._run_session,
            connected=f"Publishing to {address}",
            lost=lambda error: (
                f"Nothing is published to {address}: {self._settings.masked(error)}. {error.advice}; retrying."
            ),
        )

    async def _run_session(self, connection: BrokerConnection) -> None:
        session = Session(
            connection=connection,
            settings=self._settings,
            topics=self._topics,
            payloads=self._payloads,
            hub=self._hub,
            statuses=self._statuses,
            catalogue=self._catalogue,
            health=self.health,
        )
        await session.run()
