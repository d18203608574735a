"""Discovery through one connection: reads what stands at the broker for a meter, then puts it right.

A meter that was announced in the other form is migrated as Home Assistant wants it (from 2025.1 on): "migrate" to the
old topics, the new ones, and only then nothing to the old ones; so it keeps what people made of its entities.
"""

import asyncio
from contextlib import suppress

from iskra_server.outputs.mqtt.catalogue import KnownMeter
from iskra_server.outputs.mqtt.connection import Link, note, noting_denials
from iskra_server.outputs.mqtt.discovery import MIGRATE, DiscoveryPayloads, own_digits, own_units
from iskra_server.outputs.mqtt.outbox import PUBLISHING, READING, Denied, Message
from iskra_server.outputs.mqtt.settings import Settings
from iskra_server.outputs.mqtt.topics import Topics
from iskra_server.outputs.state import OutputHealth

# a broker that does not let us read must not keep us from writing
_ECHO_S = 2.0


class Announcer:
    """`want` a meter announced; `run` does it, one after the other."""

    def __init__(
        self, *, link: Link, settings: Settings, topics: Topics, author: DiscoveryPayloads, standing: OutputHealth
    ) -> None:
        self._standing = standing
        self._link = link
        self._settings = settings
        self._topics = topics
        self._author = author
        self._wanted: dict[str, KnownMeter] = {}
        self._arrival = asyncio.Event()
        # meter -> what was read at the broker; there from the moment it was asked for
        self._read: dict[str, dict[str, bytes]] = {}
        self._told: dict[str, bytes] = {}
        self._echo: tuple[str, asyncio.Event] = "", asyncio.Event()

    def want(self, meter: KnownMeter) -> None:
        self._wanted[meter.id] = meter
        self._arrival.set()

    def forget(self) -> None:
        """Whoever listens has forgotten everything: what is wanted now is told whole."""
        self._told.clear()

    def take(self, topic: str, payload: bytes) -> None:
        """A message from the broker."""
        if topic == self._echo[0]:
            self._echo[1].set()
        meter_id = self._topics.meter_of_discovery(topic)
        if meter_id in self._read and payload:
            self._read[meter_id][topic] = payload

    async def run(self) -> None:
        while True:
            await self._arrival.wait()
            self._arrival.clear()
            while self._wanted:
                with noting_denials(self._standing):
                    await self._announce(self._wanted.pop(next(iter(self._wanted))))

    async def _announce(self, meter: KnownMeter) -> None:
        old = await self._old_topics(meter) if meter.id not in self._read else set()
        messages = meter.messages(self._author, self._settings)
        old -= messages.keys()
        for topic in old if messages else ():
            await self._link.send(Message(topic, MIGRATE), retain=False)
        for topic, payload in messages.items():
            if self._told.get(topic) != payload:
                await self._link.send(Message(topic, payload))
                self._standing.allowed(f"{PUBLISHING} {topic}")
                self._told[topic] = payload
        for topic in old:
            await self._link.send(Message(topic, b""))

    async def _old_topics(self, meter: KnownMeter) -> set[str]:
        """Our topics that stand at the broker; their registers are the meter's, even if it is locked now."""
        echo = self._topics.echo(meter.id)
        self._read[meter.id], self._echo = {}, (echo, asyncio.Event())
        filters = *self._topics.discovery(meter.id), echo
        try:
            await self._link.subscribe(*filters)
            # the broker answers in order: behind the echo there is nothing more to read
            await self._link.send(Message(echo, b""), retain=False)
        except Denied as denied:
            note(self._standing, denied)
            # the next time it may be allowed
            del self._read[meter.id]
            return set()
        for topic in filters:
            self._standing.allowed(f"{READING} {topic}")
        self._standing.allowed(f"{PUBLISHING} {echo}")
        with suppress(TimeoutError):
            async with asyncio.timeout(_ECHO_S):
                await self._echo[1].wait()
        await self._link.unsubscribe(*filters)
        found = own_digits(self._read[meter.id])
        units = own_units(self._read[meter.id])
        for key, places in (item for digits in found.values() for item in digits.items()):
            meter.recall(key, places, units.get(key, ""))
        return set(found)
