"""One connection to the broker, from its first message to its last.

The broker may retain messages of an earlier run that was killed. So the server stays `offline` until every meter that
is `online` at the broker, but not fresh here, is corrected.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from math import ceil

from paho.mqtt.client import MQTTMessage

from iskra_server.base.clock import boottime_s
from iskra_server.diagnosis.status import Status
from iskra_server.meter.lists import current_reading
from iskra_server.meter.medium import is_electricity
from iskra_server.meter.reading import Reading, Sample
from iskra_server.meter.virtual_meter import is_virtual
from iskra_server.mqtt.broker_connection import GOODBYE_S, TIMEOUT_S, BrokerConnection
from iskra_server.mqtt.message import PUBLISHING, READING, Denied, Message, MqttError, NoAnswer, error_of
from iskra_server.outputs.mqtt.announcer import Announcer
from iskra_server.outputs.mqtt.broker_settings import MqttSettings
from iskra_server.outputs.mqtt.catalogue import KnownMeter, hex_id
from iskra_server.outputs.mqtt.cost_messages import CostMessages
from iskra_server.outputs.mqtt.diagnosis_messages import DiagnosisMessages
from iskra_server.outputs.mqtt.discovery import DiscoveryPayloads
from iskra_server.outputs.mqtt.keep_connected import report_denial, reporting_denials
from iskra_server.outputs.mqtt.payloads import (
    counters_of,
    energy_payload,
    numbers_of,
    silent_payload,
    state_payload,
    units,
)
from iskra_server.outputs.mqtt.period_energy import PeriodEnergy
from iskra_server.outputs.mqtt.publish_queue import PublishQueue
from iskra_server.outputs.mqtt.published_meter import PublishedMeter, is_message_due
from iskra_server.outputs.mqtt.topics import OFFLINE, ONLINE, Topics
from iskra_server.outputs.state import OutputHealth
from iskra_server.reading.hub import Hub, Subscription

_CHECK_EVERY_S = 1.0
_RETRY_DENIED_S = 60.0
# Home Assistant (seen with 2025.4) may refuse an entity that is announced while it still loads its MQTT platforms
_ANNOUNCE_AGAIN_S = 60.0
# a new quarter-hour is in history within a minute (history.flush_s)
_COST_EVERY_S = 5.0
_PUBLISHING_OR_READING = f"{PUBLISHING} or {READING}"


class Session:
    """`run` raises MqttError when the connection is lost, and publishes `offline` when it is cancelled."""

    def __init__(
        self,
        *,
        connection: BrokerConnection,
        settings: MqttSettings,
        topics: Topics,
        payloads: DiscoveryPayloads,
        hub: Hub,
        statuses: Callable[[], Sequence[Status]],
        catalogue: dict[str, KnownMeter],
        diagnoses: DiagnosisMessages,
        energy: PeriodEnergy | None,
        costs: CostMessages | None,
        health: OutputHealth,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._topics = topics
        self._announcer = Announcer(
            connection=connection, settings=settings, topics=topics, payloads=payloads, health=health
        )
        self._hub = hub
        self._statuses = statuses
        self._catalogue = catalogue
        self._diagnoses = diagnoses
        self._energy = energy
        self._costs = costs
        self._published: dict[str, PublishedMeter] = {}
        self._health = health
        self._queue = PublishQueue(connection.start_publish, health, lambda denied: report_denial(health, denied))
        # the broker has delivered this session's own `online`
        self._has_echo = False
        self._began_s = self._denied_retry_s = boottime_s()
        self._is_announced_again = False
        diagnoses.publish_again()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive(), name="mqtt receive")
                await self._subscribe_all()
                with self._hub.subscribe("mqtt") as samples:
                    tasks.create_task(self._announcer.run(), name="mqtt announce")
                    tasks.create_task(self._check(), name="mqtt check")
                    if self._energy:
                        tasks.create_task(self._energy.run(), name="mqtt energy")
                    if self._costs:
                        tasks.create_task(self._publish_costs(self._costs), name="mqtt cost")
                    await self._publish_samples(samples)
        except asyncio.CancelledError:
            with suppress(MqttError):
                await self._connection.publish(Message(self._topics.server, OFFLINE), timeout_s=GOODBYE_S)
            raise
        except BaseExceptionGroup as errors:
            raise error_of(errors) from None

    async def _subscribe_all(self) -> None:
        """The server's own topic comes last: its `offline` arrives after every retained availability of a meter."""
        await self._subscribe_others()
        with reporting_denials(self._health):
            await self._connection.publish(Message(self._topics.server, OFFLINE))
        await self._subscribe(self._topics.server)

    async def _subscribe_others(self) -> None:
        await self._subscribe(self._topics.availability("+"))
        if self._settings.discovery != "off":
            await self._subscribe(self._topics.homeassistant)

    async def _subscribe(self, topic: str) -> None:
        with reporting_denials(self._health):
            await self._connection.subscribe(topic)
            self._health.allowed(f"{READING} {topic}")

    async def _receive(self) -> None:
        async for message in self._connection.messages():
            self._on_message(message)

    def _on_message(self, message: MQTTMessage) -> None:
        topic, payload = str(message.topic), bytes(message.payload)
        meter = self._topics.meter_of_availability(topic)
        if topic == self._topics.server:
            if payload == ONLINE and not message.retain and not self._has_echo:
                self._has_echo = True
                self._health.allowed(f"{_PUBLISHING_OR_READING} {topic}")
            # our own `offline`, or the last will of a connection that the broker gives up only now
            if payload == OFFLINE:
                self._queue.put(Message(topic, ONLINE))
        elif topic == self._topics.homeassistant:
            if payload == ONLINE and not message.retain:
                self._publish_again()
        elif meter is not None:
            self._correct(meter, payload, is_retained=message.retain)
        else:
            self._announcer.on_message(topic, payload)

    def _correct(self, meter: str, payload: bytes, *, is_retained: bool) -> None:
        """Publish a meter's availability again where the broker has the wrong one."""
        published = self._published.get(meter)
        is_online = published is not None and published.is_online
        if not payload and not is_online:
            # `meters remove` has removed it
            self._published.pop(meter, None)
        elif payload == ONLINE and is_retained and not is_online:
            self._set_offline(meter)
        elif payload == OFFLINE and is_online:
            self._queue.put(Message(self._topics.availability(meter), ONLINE))

    async def _publish_samples(self, samples: Subscription) -> None:
        for sample in self._hub.newest.values():
            self._publish_sample(sample)
        async for sample in samples:
            self._publish_sample(sample)

    def _publish_sample(self, sample: Sample) -> None:
        """The numbers before the availability: those that the broker has are old."""
        meter_id, meter = sample.reading.meter_id, hex_id(sample)
        if not self._hub.is_fresh(meter_id, boottime_s()):
            return
        published = self._published.setdefault(meter, PublishedMeter())
        reading = current_reading(sample, sample.age_s(boottime_s()))
        numbers = numbers_of(reading)
        stale_after_s = self._hub.stale_after_s(meter_id)
        if is_message_due(published.state_at_s, self._settings.state_every_s, sample):
            published.state_at_s = sample.monotonic_s
            expire_s = ceil(stale_after_s + self._settings.state_every_s)
            cost = self._costs.per_hour(meter_id, numbers, datetime.now(UTC)) if self._costs else {}
            self._publish(published, self._topics.state(meter), state_payload(sample, numbers | cost), expire_s)
        is_due = is_message_due(published.counters_at_s, self._settings.counters_every_s, sample)
        expire_s = ceil(stale_after_s + self._settings.counters_every_s)
        if is_due:
            published.counters_at_s = sample.monotonic_s
            payload = state_payload(sample, counters_of(numbers))
            self._publish(published, self._topics.counters(meter), payload, expire_s)
        has_more = False
        if self._energy:
            has_more = self._publish_energy(self._energy, published, sample, reading, expire_s, is_due=is_due)
        if not published.is_online:
            published.is_online = True
            self._publish(published, self._topics.availability(meter), ONLINE)
        has_more |= self._known(sample).update(sample, numbers, stale_after_s, units(reading))
        if has_more or not published.is_announced:
            published.is_announced = True
            self._announcer.request(self._known(sample))

    def _publish_energy(
        self,
        energy: PeriodEnergy,
        published: PublishedMeter,
        sample: Sample,
        reading: Reading,
        expire_s: int,
        *,
        is_due: bool,
    ) -> bool:
        """Energy of today and of the month, and of a day that has just ended; whether a virtual meter has new ones."""
        has_more = False
        ended = energy.observe(sample)
        for totals in (*ended, energy.totals(reading) if is_due or ended else None):
            if totals:
                has_more |= is_virtual(sample.reading) and self._known(sample).add_periods(totals.energy_kwh)
                self._publish(
                    published, self._topics.energy(hex_id(sample)), energy_payload(sample, totals, energy.tz), expire_s
                )
        return has_more

    def _publish(self, published: PublishedMeter, topic: str, payload: bytes, expire_s: int | None = None) -> None:
        published.newest[topic] = message = Message(topic, payload, expire_s)
        self._queue.put(message)

    def _publish_again(self) -> None:
        """Home Assistant has started: everything of the meters that are fresh."""
        self._announce_again()
        for published in self._published.values():
            if published.is_online:
                for message in published.newest.values():
                    self._queue.put(message)

    def _announce_again(self) -> None:
        self._announcer.forget_sent()
        for meter, published in self._published.items():
            if published.is_online:
                self._announcer.request(self._catalogue[meter])

    def _known(self, sample: Sample) -> KnownMeter:
        meter = hex_id(sample)
        if meter not in self._catalogue:
            meter_id = sample.reading.meter_id
            name = next((status.facts.name for status in self._statuses() if status.meter_id == meter_id), "")
            if is_virtual(sample.reading):
                name = meter_id
            contracts = self._costs.contracts_of(meter_id, meter) if self._costs else ()
            self._catalogue[meter] = KnownMeter(sample, name, contracts)
        return self._catalogue[meter]

    def _rename(self, statuses: Sequence[Status]) -> None:
        """A reload may have given a meter another name. The first of several sources of a meter gives it its name."""
        names = {status.meter_id: status.facts.name for status in reversed(statuses)}
        for meter_id, name in names.items():
            sample = self._hub.newest.get(meter_id or "")
            known_meter = self._catalogue.get(hex_id(sample)) if sample else None
            if known_meter and known_meter.name != name:
                known_meter.name = name
                self._announcer.request(known_meter)

    def _set_offline(self, meter: str) -> None:
        """A meter without a current reading: first its availability, then payloads without numbers."""
        known_meter = self._catalogue.get(meter)
        published = self._published.setdefault(meter, PublishedMeter())
        published.is_online, published.state_at_s, published.counters_at_s = False, None, None
        payload = silent_payload(known_meter.sample if known_meter else None)
        self._publish(published, self._topics.availability(meter), OFFLINE)
        self._publish(published, self._topics.state(meter), payload)
        self._publish(published, self._topics.counters(meter), payload)
        if self._energy:
            self._publish(published, self._topics.energy(meter), payload)
        if self._costs and known_meter is None:
            # of an earlier run: nobody knows whether its prices still apply
            self._publish(published, self._topics.cost(meter), payload)
            self._publish(published, self._topics.prices(meter), payload)

    async def _publish_costs(self, costs: CostMessages) -> None:
        while True:
            readings = {meter: known_meter.sample.reading for meter, known_meter in self._catalogue.items()}
            meters = [(reading.meter_id, meter) for meter, reading in readings.items() if is_electricity(reading)]
            now = datetime.now(UTC)
            messages = [(meter, self._topics.cost(meter), body) for meter, body in await costs.payloads(meters, now)]
            prices = await costs.price_payloads(meters, now)
            messages += [(meter, self._topics.prices(meter), body) for meter, body in prices]
            for meter, topic, payload in messages:
                if (published := self._published.get(meter)) and published.is_new(topic, payload):
                    self._publish(published, topic, payload)
            await asyncio.sleep(_COST_EVERY_S)

    async def _check(self) -> None:
        while True:
            if self._queue.oldest_age_s() > TIMEOUT_S:
                raise NoAnswer(TIMEOUT_S)
            now_s = boottime_s()
            # a meter that a reload removed from the hub is not fresh either
            for meter in [meter for meter, published in self._published.items() if published.is_online]:
                if not self._hub.is_fresh(self._catalogue[meter].sample.reading.meter_id, now_s):
                    self._set_offline(meter)
            if not self._is_announced_again and now_s - self._began_s > _ANNOUNCE_AGAIN_S:
                self._is_announced_again = True
                self._announce_again()
            await self._publish_diagnoses(now_s)
            await self._check_denials(now_s)
            await asyncio.sleep(_CHECK_EVERY_S)

    async def _check_denials(self, now_s: float) -> None:
        """MQTT 3.1.1 cannot say that a message is denied, and some brokers deny reading silently.

        So a session whose own `online` does not come back counts as denied.
        """
        server = self._topics.server
        if not self._has_echo and now_s - self._began_s > TIMEOUT_S and not self._health.has_denials:
            report_denial(self._health, Denied(_PUBLISHING_OR_READING, server, "what is sent does not come back"))
        # the access rules may have changed meanwhile
        if self._health.has_denials and now_s - self._denied_retry_s > _RETRY_DENIED_S:
            self._denied_retry_s = now_s
            await (self._subscribe_others() if self._has_echo else self._subscribe_all())
            self._publish_again()

    async def _publish_diagnoses(self, now_s: float) -> None:
        statuses = list(self._statuses())
        self._rename(statuses)
        meters = {}
        for meter in self._published:
            known_meter = self._catalogue.get(meter)
            reading = known_meter.sample.reading if known_meter else None
            # sub-meters and virtual ones come from other meters, which have the diagnosis
            if reading is None or not (reading.channel or is_virtual(reading)):
                meters[meter] = reading.meter_id if reading else ""
        for diagnosis in self._diagnoses.due(meters, statuses, now_s):
            meter = diagnosis.meter
            if published := self._published.get(meter):
                self._publish(published, self._topics.diagnostics(meter), diagnosis.payload)
            if published and diagnosis.event:
                with reporting_denials(self._health):
                    await self._connection.publish(Message(self._topics.event(meter), diagnosis.event), retain=False)
