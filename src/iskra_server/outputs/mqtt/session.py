"""One connection to the broker, from its first message to its last.

What is retained there may be of another run of this program, which was killed. So the server stays `offline` until
every meter that is `online` there, but not fresh here, has been put right.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import ceil

import msgspec
from paho.mqtt.client import MQTTMessage

from iskra_server.base.clock import boottime_s
from iskra_server.diagnosis.status import Status
from iskra_server.meter.reading import Sample
from iskra_server.outputs.mqtt import state
from iskra_server.outputs.mqtt.announcer import Announcer
from iskra_server.outputs.mqtt.catalogue import DIAGNOSTICS_EVERY_S, KnownMeter, hex_id
from iskra_server.outputs.mqtt.connection import GOODBYE_S, TIMEOUT_S, Link, Unanswered, note, noting_denials, why_ended
from iskra_server.outputs.mqtt.outbox import PUBLISHING, READING, Denied, Message, MqttError, Outbox
from iskra_server.outputs.mqtt.settings import Settings
from iskra_server.outputs.mqtt.topics import OFFLINE, ONLINE, Topics
from iskra_server.outputs.state import OutputHealth
from iskra_server.reading.hub import Hub, Subscription

_TICK_S = 1.0
# what the broker denies is tried again
_TRY_DENIED_S = 60.0
_PUBLISHING_OR_READING = f"{PUBLISHING} or {READING}"


class Shown:
    """What the broker has of one meter through this connection: `last` by topic; moments are monotonic."""

    def __init__(self) -> None:
        self.is_online = False
        self.is_announced = False
        self.last: dict[str, Message] = {}
        self.state_at_s: float | None = None
        self.counters_at_s: float | None = None
        self.diagnosis: tuple[float, object] | None = None


class Session:
    """`run` ends with MqttError when the broker goes, and says `offline` when it is cancelled."""

    def __init__(
        self,
        *,
        link: Link,
        settings: Settings,
        topics: Topics,
        announcer: Announcer,
        hub: Hub,
        statuses: Callable[[], Sequence[Status]],
        catalogue: dict[str, KnownMeter],
        standing: OutputHealth,
    ) -> None:
        self._link = link
        self._settings = settings
        self._topics = topics
        self._announcer = announcer
        self._hub = hub
        self._statuses = statuses
        self._catalogue = catalogue
        self._shown: dict[str, Shown] = {}
        self._standing = standing
        self._outbox = Outbox(link.start, standing, lambda denied: note(standing, denied))
        # the word `online` of this session has come back from the broker
        self._has_come_back = False
        self._begun_s = self._tried_s = boottime_s()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive(), name="mqtt receive")
                await self._greet()
                with self._hub.subscribe("mqtt") as samples:
                    tasks.create_task(self._announcer.run(), name="mqtt announce")
                    tasks.create_task(self._watch(), name="mqtt watch")
                    await self._follow(samples)
        except asyncio.CancelledError:
            await self._part()
            raise
        except BaseExceptionGroup as errors:
            raise why_ended(errors) from None

    async def _greet(self) -> None:
        """The server's own topic comes last: what it says then is behind every meter's (see `_take`)."""
        await self._subscribe_to_others()
        with noting_denials(self._standing):
            await self._link.send(Message(self._topics.server, OFFLINE))
        await self._subscribe(self._topics.server)

    async def _subscribe_to_others(self) -> None:
        await self._subscribe(self._topics.availability("+"))
        if self._settings.discovery != "off":
            await self._subscribe(self._topics.homeassistant)

    async def _subscribe(self, topic: str) -> None:
        with noting_denials(self._standing):
            await self._link.subscribe(topic)
            self._standing.allowed(f"{READING} {topic}")

    async def _part(self) -> None:
        with suppress(MqttError):
            await self._link.send(Message(self._topics.server, OFFLINE), timeout_s=GOODBYE_S)

    async def _receive(self) -> None:
        async for message in self._link.messages:
            self._take(message)

    def _take(self, message: MQTTMessage) -> None:
        topic, payload = str(message.topic), bytes(message.payload)
        meter = self._topics.meter_of_availability(topic)
        if topic == self._topics.server:
            if payload == ONLINE and not message.retain and not self._has_come_back:
                self._has_come_back = True
                self._standing.allowed(f"{_PUBLISHING_OR_READING} {topic}")
            # our own word, or the will of a connection that the broker has only now given up
            if payload == OFFLINE:
                self._outbox.put(Message(topic, ONLINE))
        elif topic == self._topics.homeassistant:
            if payload == ONLINE and not message.retain:
                self._repeat()
        elif meter is not None:
            self._correct(meter, payload, is_retained=message.retain)
        else:
            self._announcer.take(topic, payload)

    def _correct(self, meter: str, payload: bytes, *, is_retained: bool) -> None:
        """A meter's availability as the broker has it, made what it is."""
        shown = self._shown.get(meter)
        is_online = shown is not None and shown.is_online
        if payload == ONLINE and is_retained and not is_online:
            self._silence(meter)
        elif payload == OFFLINE and is_online:
            self._outbox.put(Message(self._topics.availability(meter), ONLINE))

    async def _follow(self, samples: Subscription) -> None:
        for sample in self._hub.newest.values():
            self._tell(sample)
        async for sample in samples:
            self._tell(sample)

    def _tell(self, sample: Sample) -> None:
        """The numbers first, then that they hold: what was retained before is old."""
        meter_id, meter = sample.reading.meter_id, hex_id(sample)
        if not self._hub.is_fresh(meter_id, boottime_s()):
            return
        shown = self._shown.setdefault(meter, Shown())
        numbers = state.values(sample.reading)
        stale_after_s = self._hub.stale_after_s(meter_id)
        if _is_due(shown.state_at_s, self._settings.state_every_s, sample):
            shown.state_at_s = sample.monotonic_s
            expire_s = ceil(stale_after_s + self._settings.state_every_s)
            self._put(shown, self._topics.state(meter), state.state(sample, numbers), expire_s)
        if _is_due(shown.counters_at_s, self._settings.counters_every_s, sample):
            shown.counters_at_s = sample.monotonic_s
            expire_s = ceil(stale_after_s + self._settings.counters_every_s)
            self._put(shown, self._topics.counters(meter), state.state(sample, state.counters(numbers)), expire_s)
        if not shown.is_online:
            shown.is_online = True
            self._put(shown, self._topics.availability(meter), ONLINE)
        if self._known(sample).learn(sample, numbers, stale_after_s) or not shown.is_announced:
            shown.is_announced = True
            self._announcer.want(self._known(sample))

    def _put(self, shown: Shown, topic: str, payload: bytes, expire_s: int | None = None) -> None:
        shown.last[topic] = message = Message(topic, payload, expire_s)
        self._outbox.put(message)

    def _repeat(self) -> None:
        """Home Assistant has started: all again, for the meters that are fresh."""
        self._announcer.forget()
        for meter, shown in self._shown.items():
            if shown.is_online:
                self._announcer.want(self._catalogue[meter])
                for message in shown.last.values():
                    self._outbox.put(message)

    def _known(self, sample: Sample) -> KnownMeter:
        meter = hex_id(sample)
        if meter not in self._catalogue:
            meter_id = sample.reading.meter_id
            name = next((each.facts.name for each in self._statuses() if each.meter_id == meter_id), "")
            self._catalogue[meter] = KnownMeter(sample, name)
        return self._catalogue[meter]

    def _rename(self, meter: str, name: str) -> None:
        """A reload may have given a meter another name."""
        known = self._catalogue.get(meter)
        if known and known.name != name:
            known.name = name
            self._announcer.want(known)

    def _silence(self, meter: str) -> None:
        """A meter without a fresh reading: that first, then no number in the place of the old ones."""
        known, shown = self._catalogue.get(meter), self._shown.setdefault(meter, Shown())
        shown.is_online, shown.state_at_s, shown.counters_at_s = False, None, None
        payload = state.silent(known.sample if known else None)
        self._put(shown, self._topics.availability(meter), OFFLINE)
        self._put(shown, self._topics.state(meter), payload)
        self._put(shown, self._topics.counters(meter), payload)

    async def _watch(self) -> None:
        while True:
            if self._outbox.waits_s() > TIMEOUT_S:
                raise Unanswered(f"it does not answer within {TIMEOUT_S:.0f} s")
            now_s = boottime_s()
            # also a meter that a reload has taken out of the hub
            for meter, shown in self._shown.items():
                if shown.is_online and not self._hub.is_fresh(self._catalogue[meter].sample.reading.meter_id, now_s):
                    self._silence(meter)
            self._diagnose(now_s)
            await self._look_at_denials(now_s)
            await asyncio.sleep(_TICK_S)

    async def _look_at_denials(self, now_s: float) -> None:
        """MQTT 3.1.1 has no way to say that a message is denied; some brokers deny reading without a word, too."""
        server = self._topics.server
        if not self._has_come_back and now_s - self._begun_s > TIMEOUT_S and not self._standing.has_denials:
            note(self._standing, Denied(_PUBLISHING_OR_READING, server, "what is sent does not come back"))
        # the access rules may have been changed meanwhile
        if self._standing.has_denials and now_s - self._tried_s > _TRY_DENIED_S:
            self._tried_s = now_s
            await (self._subscribe_to_others() if self._has_come_back else self._greet())
            self._repeat()

    def _diagnose(self, now_s: float) -> None:
        """How the source of each meter stands: when that changes, and now and then."""
        named: set[str] = set()
        for status in self._statuses():
            sample = self._hub.newest.get(status.meter_id or "")
            if status.meter_id is None or sample is None:
                continue
            shown = self._shown.get(hex_id(sample))
            if status.meter_id not in named:
                # of several sources of one meter the first has its name
                named.add(status.meter_id)
                self._rename(hex_id(sample), status.facts.name)
            now = status.failed_check, status.facts.locked
            if shown is None or (
                shown.diagnosis and shown.diagnosis[1] == now and now_s < shown.diagnosis[0] + DIAGNOSTICS_EVERY_S
            ):
                continue
            shown.diagnosis = now_s, now
            payload = msgspec.json.encode(state.diagnostics(status.meter_id, status))
            self._put(shown, self._topics.diagnostics(hex_id(sample)), payload)


def _is_due(last_s: float | None, every_s: float, sample: Sample) -> bool:
    return last_s is None or sample.monotonic_s - last_s >= every_s
