"""Home Assistant's discovery through one connection: reads what the broker retains for a meter, then updates it.

A meter that was announced in the other form is migrated in Home Assistant's order (from 2025.1 on): first "migrate" to
the old topics, then the new topics, then an empty message to the old ones. So users keep their changes to its entities.
"""

import asyncio
from contextlib import suppress

from iskra_server.mqtt.broker_connection import BrokerConnection
from iskra_server.mqtt.message import PUBLISHING, READING, Denied, Message
from iskra_server.outputs.mqtt.broker_settings import MqttSettings
from iskra_server.outputs.mqtt.catalogue import KnownMeter
from iskra_server.outputs.mqtt.discovery import MIGRATE, DiscoveryPayloads, own_registers
from iskra_server.outputs.mqtt.keep_connected import report_denial, reporting_denials
from iskra_server.outputs.mqtt.topics import Topics
from iskra_server.outputs.state import OutputHealth

# where the broker does not deliver the echo, announce without what it retains
_ECHO_S = 2.0


class Announcer:
    """`request` queues a meter; `run` announces the queued meters one after the other."""

    def __init__(
        self,
        *,
        connection: BrokerConnection,
        settings: MqttSettings,
        topics: Topics,
        payloads: DiscoveryPayloads,
        health: OutputHealth,
    ) -> None:
        self._health = health
        self._connection = connection
        self._settings = settings
        self._topics = topics
        self._payloads = payloads
        self._requested: dict[str, KnownMeter] = {}
        self._has_request = asyncio.Event()
        # meter -> topic -> payload that the broker retained; a meter is here from its subscription on
        self._retained: dict[str, dict[str, bytes]] = {}
        # topic -> payload, so that only changes are sent
        self._sent: dict[str, bytes] = {}
        self._echo: tuple[str, asyncio.Event] = "", asyncio.Event()

    def request(self, meter: KnownMeter) -> None:
        self._requested[meter.id] = meter
        self._has_request.set()

    def forget_sent(self) -> None:
        """Home Assistant has restarted: from now on send everything again."""
        self._sent.clear()

    def on_message(self, topic: str, payload: bytes) -> None:
        if topic == self._echo[0]:
            self._echo[1].set()
        meter_id = self._topics.meter_of_discovery(topic)
        if meter_id in self._retained and payload:
            self._retained[meter_id][topic] = payload

    async def run(self) -> None:
        while True:
            await self._has_request.wait()
            self._has_request.clear()
            while self._requested:
                with reporting_denials(self._health):
                    await self._announce(self._requested.pop(next(iter(self._requested))))

    async def _announce(self, meter: KnownMeter) -> None:
        old_topics = await self._read_old_topics(meter) if meter.id not in self._retained else set()
        messages = meter.discovery(self._payloads, self._settings)
        old_topics -= messages.keys()
        device = self._topics.device(meter.id)
        for topic in old_topics if messages else ():
            # an entity in the same form is gone for good: there is nothing to migrate, and 2024 logs an error
            if (topic == device) != (device in messages):
                await self._connection.publish(Message(topic, MIGRATE), retain=False)
        for topic, payload in messages.items():
            if self._sent.get(topic) != payload:
                await self._connection.publish(Message(topic, payload))
                self._health.allowed(f"{PUBLISHING} {topic}")
                self._sent[topic] = payload
        for topic in old_topics:
            await self._connection.publish(Message(topic, b""))

    async def _read_old_topics(self, meter: KnownMeter) -> set[str]:
        """Our topics at the broker. The meter gets their registers, which a locked meter does not send now."""
        echo = self._topics.echo(meter.id)
        self._retained[meter.id], self._echo = {}, (echo, asyncio.Event())
        filters = *self._topics.discovery(meter.id), echo
        try:
            await self._connection.subscribe(*filters)
            # the broker delivers in order: after the echo, all retained messages have arrived
            await self._connection.publish(Message(echo, b""), retain=False)
        except Denied as denied:
            report_denial(self._health, denied)
            # read again next time: the access rules may have changed
            del self._retained[meter.id]
            return set()
        for topic in filters:
            self._health.allowed(f"{READING} {topic}")
        self._health.allowed(f"{PUBLISHING} {echo}")
        with suppress(TimeoutError):
            async with asyncio.timeout(_ECHO_S):
                await self._echo[1].wait()
        await self._connection.unsubscribe(*filters)
        registers_by_topic = own_registers(self._retained[meter.id])
        for registers in registers_by_topic.values():
            for key, register in registers.items():
                meter.add_register(key, register.places, register.unit)
        return set(registers_by_topic)
