"""The MQTT output: publishes every meter, and connects again when the broker goes."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.contracts import Contract
from iskra_server.diagnosis.status import Status
from iskra_server.mqtt.broker import Broker
from iskra_server.mqtt.broker_connection import BrokerConnection
from iskra_server.mqtt.message import Message
from iskra_server.outputs.mqtt.broker_settings import MqttSettings
from iskra_server.outputs.mqtt.catalogue import KnownMeter
from iskra_server.outputs.mqtt.cost_messages import CostMessages
from iskra_server.outputs.mqtt.diagnosis_messages import DiagnosisMessages
from iskra_server.outputs.mqtt.discovery import DiscoveryPayloads
from iskra_server.outputs.mqtt.keep_connected import keep_connected
from iskra_server.outputs.mqtt.period_energy import PeriodEnergy
from iskra_server.outputs.mqtt.session import Session
from iskra_server.outputs.mqtt.topics import OFFLINE, Topics
from iskra_server.outputs.state import OutputHealth
from iskra_server.reading.hub import Hub

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.store import Store


class PeriodSettings(Struct, frozen=True):
    """Where days begin, and what energy costs; energy and cost of today and this month need history."""

    tz: str = "UTC"
    contracts: tuple[Contract, ...] = ()
    has_history: bool = False


class Publisher:
    """`run` ends only when it is cancelled."""

    def __init__(
        self,
        *,
        settings: MqttSettings,
        hub: Hub,
        statuses: Callable[[], Sequence[Status]],
        version: str,
        periods: PeriodSettings,
        store: "Callable[[], Store | None]",
    ) -> None:
        self._settings = settings
        self._hub = hub
        self._statuses = statuses
        self._topics = Topics(settings.base, settings.prefix)
        self._payloads = DiscoveryPayloads(
            topics=self._topics, language=settings.language, version=version, has_history=periods.has_history
        )
        self._catalogue: dict[str, KnownMeter] = {}
        self._diagnoses = DiagnosisMessages(settings.language)
        tz = ZoneInfo(periods.tz)
        self._energy = PeriodEnergy(tz, store) if periods.has_history else None
        self._costs = (
            CostMessages(periods.contracts, tz, store, has_history=periods.has_history, is_production=hub.is_production)
            if periods.contracts
            else None
        )
        self.health = OutputHealth("mqtt")

    async def run(self) -> None:
        address = self._settings.broker
        await keep_connected(
            Broker(self._settings, Message(self._topics.server, OFFLINE)),
            self.health,
            self._run_session,
            connected=f"Publishing to {address}",
            lost=self._settings.nothing_published,
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
            diagnoses=self._diagnoses,
            energy=self._energy,
            costs=self._costs,
            health=self.health,
        )
        await session.run()
