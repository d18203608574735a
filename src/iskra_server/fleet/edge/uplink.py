"""The uplink of a reader: sends every closed quarter until the central server has confirmed it.

    ledger -> queue -> at most WINDOW messages in flight -> broker -> a collector -> its database
       ^____________ the receipt: kept (remove the marks of these quarters), waits or refused ____|

An acknowledgement of the broker is not enough: it may lose a message, or have no collector to deliver it to. Without a
receipt, messages are sent again, one at a time and with growing delays, so that readers do not flood a central server
that comes back. What waits or is refused keeps its mark and the reason. Live values are sent once and may be lost.

Every message carries the session of this run: a receipt for another reader of the same name is not taken for our own.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from iskra_server.base.backoff import Backoff
from iskra_server.base.language import Bilingual, in_both
from iskra_server.diagnosis.status import Status
from iskra_server.fleet import protocol
from iskra_server.fleet.edge.reader_messages import live, reader_status, sources
from iskra_server.fleet.edge.receipts import Receipts
from iskra_server.fleet.edge.uplink_health import RIVAL_STATUS_S, SILENT_S, UplinkHealth
from iskra_server.fleet.edge.uplink_queue import MAX_RETRY_S, Parcel, ReaderIdentity, UplinkQueue
from iskra_server.fleet.edge.uplink_sentences import UNNAMED, lost
from iskra_server.fleet.edge.uplink_summary import uplink_summary
from iskra_server.fleet.protocol import Correlation, ReaderTopics
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store
from iskra_server.meter.medium import is_electricity
from iskra_server.meter.virtual_meter import is_virtual
from iskra_server.mqtt.broker import Broker
from iskra_server.mqtt.broker_connection import BrokerConnection
from iskra_server.mqtt.message import PUBLISHING, Message, MqttError, error_of
from iskra_server.outputs.mqtt.broker_settings import BrokerSettings
from iskra_server.outputs.mqtt.keep_connected import keep_connected, reporting_denials, spread_delays_s
from iskra_server.outputs.mqtt.topics import OFFLINE
from iskra_server.reading.hub import Hub

log = logging.getLogger(__name__)

WINDOW = 8
RESEND_S = 60.0
# quarters close in every reader at the same second, and a broker loses all readers at the same one
SPREAD_S = 30.0
STATUS_EVERY_S = 300.0
_CHECK_STATUS_EVERY_S = 5.0
# the writer's thread changes the store and its marks; an event from there would need the store to know of the uplink
_POLL_S = 1.0
# another process may mark quarters again
_IDLE_S = 15.0
# history opens soon after the start
_OPENING_S = 5.0
# counting a long queue takes a while: at most a twentieth of the time
_COUNT_EVERY_S, _COUNT_SHARE = 5.0, 20


class InFlight(Struct, frozen=True):
    """A parcel that was sent at a monotonic time and is not answered yet."""

    parcel: Parcel
    at_s: float


class Uplink:
    """`run` ends only when it is cancelled. `store` returns None while history is not open.

    Without a `reader` it has the name that history knows, or one from its user at the broker or its machine.
    """

    def __init__(
        self,
        *,
        settings: BrokerSettings,
        reader: str,
        store: Callable[[], Store | None],
        hub: Hub,
        statuses: Callable[[], Sequence[Status]],
        version: str,
        live_every_s: float = 0.0,
        resend_s: float = RESEND_S,
        spread_s: float = SPREAD_S,
        silent_s: float = SILENT_S,
    ) -> None:
        self._settings = settings
        self._reader = reader
        self._store = store
        self._hub = hub
        self._statuses = statuses
        self._version = version
        self._live_every_s = live_every_s
        self._spread_s = spread_s
        self._backoff = Backoff(resend_s, MAX_RETRY_S)
        self._resend_s = self._backoff.next_s()
        self._session = protocol.new_session()
        self._enabled_store: Store | None = None
        self._identity = ReaderIdentity(reader, "")
        self._in_flight: dict[bytes, InFlight] = {}
        self._number = 0
        self._window = WINDOW
        self._receipts = Receipts(resend_s)
        self._has_answer = asyncio.Event()
        self.health = UplinkHealth(silent_s)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_queue(), name="uplink queue")
            await self._identify()
            await keep_connected(
                Broker(self._settings, self._offline(), needs_mqtt_5=True),
                self.health,
                self._run_session,
                connected=f"Sending to the central server at {self._settings.broker} as {self._topics.reader}",
                lost=self._lost,
                delays_s=lambda: spread_delays_s(self._spread_s),
            )

    async def _identify(self) -> None:
        """Only history knows a name that is not configured."""
        began_s = time.monotonic()
        while not self._identity.reader:
            if store := self._store():
                try:
                    await self._enable(store)
                    self.health.recovered()
                    return
                except StoreError as error:
                    log.debug("The uplink waits for the database: %s", error)
            if time.monotonic() - began_s >= _OPENING_S and self.health.failed(UNNAMED):
                log.warning(UNNAMED[0])
            await asyncio.sleep(_POLL_S)

    async def _enable(self, store: Store) -> None:
        if store is not self._enabled_store:
            name, user = self._identity.reader, self._settings.username
            self._identity = await asyncio.to_thread(UplinkQueue(store).enable, name, user)
            self._enabled_store = store
            # another history has other marks
            self._in_flight.clear()
            self._receipts.forget()

    @property
    def _topics(self) -> ReaderTopics:
        return ReaderTopics(self._settings.base, self._identity.reader)

    def _offline(self) -> Message:
        return Message(self._topics["status"], OFFLINE, correlation=bytes(Correlation(self._session, 0)))

    def _lost(self, error: MqttError) -> Bilingual:
        return in_both(lost(error), **self._settings.details(error))

    async def _run_session(self, connection: BrokerConnection) -> None:
        # messages may have been lost with the old connection
        self._in_flight.clear()
        self.health.unanswered_since_s = None
        with reporting_denials(self.health):
            await connection.subscribe(self._topics["kept"], qos=1)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive_answers(connection), name="uplink answers")
                tasks.create_task(self._send_status(connection), name="uplink status")
                if self._live_every_s:
                    tasks.create_task(self._send_live(connection), name="uplink live")
                await self._send_quarters(connection)
        except asyncio.CancelledError:
            # after an orderly disconnect the broker publishes no will
            connection.publish_qos0(self._offline())
            raise
        except BaseExceptionGroup as errors:
            raise error_of(errors) from None

    async def _send_quarters(self, connection: BrokerConnection) -> None:
        marked, not_before_s, is_idle = -1, 0.0, False
        while True:
            store = self._store()
            try:
                if store is not None:
                    await self._enable(store)
                    if await asyncio.to_thread(self._receipts.settle, UplinkQueue(store)):
                        await self._observe(store)
                    self._drop_unanswered()
                    if is_idle and marked != store.outbox_revision:
                        # a quarter has closed
                        not_before_s, is_idle = time.monotonic() + random.uniform(0.0, self._spread_s), False
                    room, marked = self._window - len(self._in_flight), store.outbox_revision
                    if room > 0 and time.monotonic() >= not_before_s:
                        parcels = await self._next_parcels(store, room)
                        for parcel in parcels:
                            await self._send_parcel(connection, parcel)
                        if not is_idle and not parcels and not self._in_flight:
                            is_idle = True
                            await self._observe(store)
            except StoreError as error:
                log.debug("Quarters wait for the database: %s", error)
            await self._wait_for_work(store, marked, not_before_s)

    async def _next_parcels(self, store: Store, room: int) -> list[Parcel]:
        in_flight: dict[str, list[int]] = {}
        for parcel in (*(sent.parcel for sent in self._in_flight.values()), *self._receipts.unsettled):
            in_flight.setdefault(parcel.meter.meter_id, []).extend(parcel.marks)
        return await asyncio.to_thread(UplinkQueue(store).next_parcels, room, in_flight, self._receipts.at_most)

    async def _send_parcel(self, connection: BrokerConnection, parcel: Parcel) -> None:
        self._number += 1
        number = bytes(Correlation(self._session, self._number))
        self._in_flight[number] = InFlight(parcel, time.monotonic())
        if self.health.unanswered_since_s is None:
            self.health.unanswered_since_s = time.monotonic()
        payload = protocol.encode(protocol.quarters(parcel.meter, parcel.records, self._identity.ledger))
        with reporting_denials(self.health):
            await connection.request(
                Message(self._topics["quarters"], payload, correlation=number), self._topics["kept"]
            )
            self.health.allowed(f"{PUBLISHING} {self._topics['quarters']}")

    async def _receive_answers(self, connection: BrokerConnection) -> None:
        async for message in connection.messages():
            data = getattr(message.properties, "CorrelationData", b"")
            correlation = protocol.correlation(data)
            if correlation is None or correlation.session != self._session:
                continue
            receipt = protocol.decode_receipt(bytes(message.payload))
            if correlation.number == 0:
                if receipt.state == "waits":
                    self.health.note_rival(receipt.reason)
            elif sent := self._in_flight.pop(data, None):
                self._receipts.add(sent.parcel, receipt)
                self.health.delivered += len(sent.parcel.marks) if receipt.state == "kept" else 0
                self.health.unanswered_since_s = None
                self._backoff.reset()
                self._window, self._resend_s = WINDOW, self._backoff.next_s()
                self._has_answer.set()

    def _drop_unanswered(self) -> None:
        """After a timeout everything in flight is lost; then messages go one at a time, with a longer timeout."""
        oldest_s = min((sent.at_s for sent in self._in_flight.values()), default=time.monotonic())
        if time.monotonic() - oldest_s > self._resend_s:
            self._in_flight.clear()
            self._window, self._resend_s = 1, self._backoff.next_s()

    async def _wait_for_work(self, store: Store | None, marked: int, not_before_s: float) -> None:
        """Until an answer arrives, the ledger has changed, history was reopened, or something may be due."""
        end_s = time.monotonic() + min(self._resend_s, _IDLE_S)
        if not_before_s > time.monotonic():
            end_s = min(end_s, not_before_s)
        while (left_s := end_s - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(min(left_s, _POLL_S)):
                    await self._has_answer.wait()
            except TimeoutError:
                if store is None or store is not self._store() or store.outbox_revision != marked:
                    return
            else:
                self._has_answer.clear()
                return

    async def _send_live(self, connection: BrokerConnection) -> None:
        sent_s: dict[str, float] = {}
        with self._hub.subscribe("uplink") as samples:
            async for sample in samples:
                meter = sample.reading.meter_id
                # the central server knows no virtual meters
                if not is_electricity(sample.reading) or is_virtual(sample.reading):
                    continue
                if sample.monotonic_s - sent_s.get(meter, -self._live_every_s) >= self._live_every_s:
                    sent_s[meter] = sample.monotonic_s
                    connection.publish_qos0(Message(self._topics["live"], protocol.encode(live(sample))))

    async def _send_status(self, connection: BrokerConnection) -> None:
        """When it has changed, and every five minutes."""
        sent, sent_s = None, 0.0
        while True:
            current = sources(self._statuses())
            every_s = RIVAL_STATUS_S if self.health.has_rival else STATUS_EVERY_S
            if current != sent or time.monotonic() - sent_s >= every_s:
                sent, sent_s = current, time.monotonic()
                status = protocol.encode(reader_status(self._version, current, self.health.summary))
                message = Message(self._topics["status"], status, correlation=self._offline().correlation)
                with reporting_denials(self.health):
                    await connection.publish(message, retain=False)
                    self.health.allowed(f"{PUBLISHING} {self._topics['status']}")
            await asyncio.sleep(_CHECK_STATUS_EVERY_S)

    async def _watch_queue(self) -> None:
        """Whether connected or not."""
        while True:
            began_s = time.monotonic()
            try:
                if store := self._store():
                    await self._observe(store)
            except StoreError as error:
                log.debug("The uplink cannot count what waits: %s", error)
            await asyncio.sleep(max(_COUNT_EVERY_S, _COUNT_SHARE * (time.monotonic() - began_s)))

    async def _observe(self, store: Store) -> None:
        self.health.observe(await asyncio.to_thread(uplink_summary, store))
