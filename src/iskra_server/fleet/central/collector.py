"""A collector: receives its share of the messages of readers and writes them in batches. Any number run side by side.

    broker --- $share/GROUP/... ---> queue -> batch -> one transaction -> receipts to readers, then ack to the broker

A message is acknowledged after its commit, never before. While the database is away the same batch is repeated, and the
broker holds back the rest, because only so many messages may be unacknowledged (Receive Maximum, MQTT 5). A collector
stores nothing itself: when it is killed, the readers send again. Live values are not answered: of each meter the newest
one waits.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event

import paho.mqtt.client as paho

from iskra_server.base.language import Bilingual, in_both
from iskra_server.fleet.central.batch_writer import BatchWriter, WrittenMessages
from iskra_server.fleet.central.collector_state import CollectorState
from iskra_server.fleet.central.ingest import ReceivedMessage, live_contact
from iskra_server.fleet.central.live_values import NewestLiveValues
from iskra_server.fleet.central.receipt_sender import ReceiptSender
from iskra_server.fleet.protocol import Receipt
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store
from iskra_server.mqtt.broker import Broker
from iskra_server.mqtt.broker_connection import BrokerConnection, ReceiveLimits
from iskra_server.mqtt.message import MqttError, WrongPassword
from iskra_server.outputs.mqtt.broker_settings import BrokerSettings
from iskra_server.outputs.mqtt.keep_connected import keep_connected, reporting_denials
from iskra_server.outputs.state import OutputHealth

log = logging.getLogger(__name__)

_BATCH = 500
# one batch is written while the next one arrives
_UNACKNOWLEDGED_BATCHES = 2
# above the limit of ingest.py, so that a message a little too long is refused with a reason, not dropped by the broker
_MAX_PACKET_BYTES = 4 << 20
# a day of a meter has some 10 kB. Of longer messages only so many bytes wait, and a batch ends after so many
_USUAL_BYTES, _MAX_WAITING_BYTES, _BATCH_BYTES = 1 << 16, 1 << 24, 1 << 22
# live values in one batch
_LIVE_ROWS = 5_000
# messages that arrive within this time go into one batch
TOGETHER_S = 0.1
# of live values alone: a newer value of the same meter replaces the older one meanwhile
_LIVE_EVERY_S = 1.0
KINDS = ("quarters", "live", "status")
_DRAIN_S = 3.0
_PREPARE_EVERY_S = 3600.0
_IDLE_EVERY_S = 60.0
_AWAY = (
    "The broker {broker} is away: {reason}. {advice}. The collector reconnects until it is back.",
    "Der Broker {broker} ist nicht erreichbar: {reason}. {advice}. Der Kollektor versucht es, bis er wieder da ist.",
)
_WRONG_PASSWORD = (
    "The broker {broker} says: wrong user or password ({reason}). Correct the user in collect.url, or collect.password "
    "(IES_COLLECT_PASSWORD). The collector tries again until then.",
    "Der Broker {broker} meldet: Benutzer oder Passwort ist falsch ({reason}). Korrigieren Sie den Benutzer in "
    "collect.url oder collect.password (IES_COLLECT_PASSWORD). Der Kollektor versucht es so lange.",
)


class Collector:
    """`run` blocks until `stop`. Any thread may call `stop` and `state`.

    `when_idle` is called in a thread while no message waits: it does one short step of other work, says whether there
    is more to do now, and may raise StoreError.
    """

    def __init__(
        self,
        *,
        settings: BrokerSettings,
        group: str,
        store: Store,
        name: str,
        when_idle: Callable[[], bool] = lambda: False,
    ) -> None:
        self.kept = self.waits = self.refused = self.conflicts = self.live = 0
        self.subscribed = Event()
        self._settings = settings
        self._filters = [f"$share/{group}/{settings.base}/+/{kind}" for kind in KINDS]
        self._store = store
        self._broker = Broker(
            settings,
            client_id=name,
            needs_mqtt_5=True,
            limits=ReceiveLimits(_MAX_PACKET_BYTES, _UNACKNOWLEDGED_BATCHES * _BATCH),
        )
        self._health = OutputHealth("collect")
        self._when_idle = when_idle
        self._stopping = Event()
        self._writer = BatchWriter(store, self._stopping)
        # with the moment of arrival
        self._received: deque[tuple[float, ReceivedMessage]] = deque()
        self._received_bytes = 0
        self._live = NewestLiveValues()
        self._arrival = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sender = ReceiptSender(settings.base, self._health)
        # counts connections: packet numbers start again with each
        self._connections = 0
        self._oldest: float | None = None
        self._last_written_s: float | None = None
        self._batches, self._lag_sum_s = 0, 0.0
        self._logged: set[str] = set()

    def stop(self) -> None:
        self._stopping.set()
        if self._loop:
            self._loop.call_soon_threadsafe(self._arrival.set)

    def run(self) -> None:
        """Before it returns it writes what it has received, if the database is there."""
        asyncio.run(self._run())

    def state(self) -> CollectorState:
        broker = self._health.state()
        oldest = self._oldest
        return CollectorState(
            is_connected=self.subscribed.is_set(),
            broker_away_since_s=broker.since.timestamp() if broker.since else None,
            database_away_since_s=self._writer.away_since_s,
            sentence=self._writer.sentence or broker.sentence,
            kept=self.kept,
            waits=self.waits,
            refused=self.refused,
            conflicts=self.conflicts,
            live=self.live,
            live_dropped=self._live.dropped,
            waiting=len(self._received),
            lag_s=time.monotonic() - oldest if oldest is not None else 0.0,
            last_written_s=self._last_written_s,
            batches=self._batches,
            lag_sum_s=self._lag_sum_s,
        )

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            connecting = tasks.create_task(self._stay_connected(), name="collector connection")
            await self._write_until_stopped()
            await self._drain()
            connecting.cancel()

    async def _stay_connected(self) -> None:
        broker = self._settings.broker
        await keep_connected(
            self._broker, self._health, self._session, connected=f"Collecting from {broker}", lost=self._lost
        )

    def _lost(self, error: MqttError) -> Bilingual:
        return in_both(_WRONG_PASSWORD if isinstance(error, WrongPassword) else _AWAY, **self._settings.details(error))

    async def _session(self, connection: BrokerConnection) -> None:
        self._connections += 1
        while len(self._received) > _UNACKNOWLEDGED_BATCHES * _BATCH:
            # of an earlier connection: nobody waits for their acknowledgement, and the readers send them again
            self._take_message()
        try:
            with reporting_denials(self._health):
                await connection.subscribe(*self._filters, qos=1)
                self._sender.connection = connection
                self.subscribed.set()
            async for message in connection.messages():
                self._receive(message)
        finally:
            self._sender.connection = None
            self.subscribed.clear()

    def _receive(self, received: paho.MQTTMessage) -> None:
        properties = received.properties
        message = ReceivedMessage(
            received.topic,
            bytes(received.payload),
            int(time.time()),
            received.mid if received.qos else None,
            self._connections,
            getattr(properties, "ResponseTopic", ""),
            getattr(properties, "CorrelationData", b""),
        )
        if message.kind == "live":
            self._receive_live(message)
        elif len(message.payload) > _USUAL_BYTES and self._received_bytes > _MAX_WAITING_BYTES:
            # not answered, so its reader sends it again
            self._confirm(message)
        # QoS 1: the broker bounds how many wait
        elif received.qos or len(self._received) < 2 * _UNACKNOWLEDGED_BATCHES * _BATCH:
            self._received.append((time.monotonic(), message))
            self._received_bytes += len(message.payload)
            self._arrival.set()

    def _take_message(self) -> tuple[float, ReceivedMessage]:
        taken = self._received.popleft()
        self._received_bytes -= len(taken[1].payload)
        return taken

    def _take_batch(self) -> list[tuple[float, ReceivedMessage]]:
        batch: list[tuple[float, ReceivedMessage]] = []
        left = _BATCH_BYTES
        while self._received and len(batch) < _BATCH and left > 0:
            batch.append(self._take_message())
            left -= len(batch[-1][1].payload)
        return batch

    def _receive_live(self, message: ReceivedMessage) -> None:
        try:
            self._live.put(live_contact(message))
        except ValueError as error:
            self.refused += 1
            self._log_once(f"Live values at {message.topic} are not understood: {error}")
        self._confirm(message)

    async def _write_until_stopped(self) -> None:
        prepared, written, idle_due = time.monotonic(), 0.0, 0.0
        while not self._stopping.is_set():
            if not self._received and time.monotonic() >= idle_due:
                is_unfinished = await asyncio.to_thread(self._work_when_idle)
                idle_due = 0.0 if is_unfinished else time.monotonic() + _IDLE_EVERY_S
            if time.monotonic() - prepared > _PREPARE_EVERY_S:
                prepared = time.monotonic()
                self._logged.clear()
                await asyncio.to_thread(self._create_partitions)
            await self._wait_for_messages(max(written + _LIVE_EVERY_S - time.monotonic(), 0.0))
            if self._received or len(self._live):
                await self._write_batch()
                written = time.monotonic()

    async def _wait_for_messages(self, live_due_s: float) -> None:
        """Until there is a batch, live values are due, or nothing has come for a second."""
        self._arrival.clear()
        if not self._received and not self._stopping.is_set():
            await _wait(self._arrival, live_due_s if len(self._live) else _LIVE_EVERY_S)
        if self._received and len(self._received) < _BATCH:
            await asyncio.sleep(TOGETHER_S)

    async def _write_batch(self) -> None:
        batch = self._take_batch()
        contacts = self._live.take(_LIVE_ROWS)
        messages = [message for _, message in batch]
        self._oldest = batch[0][0] if batch else None
        written = await asyncio.to_thread(self._writer.write, messages, contacts)
        self.live += written.live
        self.conflicts += written.conflicts
        if self._oldest is not None and None not in written.receipts:
            self._lag_sum_s += time.monotonic() - self._oldest
            self._batches += 1
            self._last_written_s = time.time()
        self._oldest = None
        self._answer(messages, written)

    async def _drain(self) -> None:
        """Unsubscribe, so that other collectors take over at once; write what has arrived already."""
        try:
            async with asyncio.timeout(_DRAIN_S):
                if self._sender.connection:
                    await self._sender.connection.unsubscribe(*self._filters)
                while self._received or len(self._live):
                    await self._write_batch()
                await self._sender.wait_until_sent()
        except (TimeoutError, MqttError) as error:
            log.debug("Ended before everything was written or answered: %s", error)

    def _answer(self, messages: Sequence[ReceivedMessage], written: WrittenMessages) -> None:
        """First answer the reader, then ack to the broker: if only the answer is lost, the reader sends again."""
        for received, receipt in zip(messages, written.receipts, strict=True):
            if receipt is None:
                continue
            self._count(receipt)
            self._sender.answer(received, receipt)
            self._confirm(received)
        for notice in written.notices:
            self._sender.notify(notice)

    def _count(self, receipt: Receipt) -> None:
        match receipt.state:
            case "kept":
                self.kept += 1
            case "waits":
                self.waits += 1
                self._log_once(f"A message waits at its reader: {receipt.reason}")
            case "refused":
                self.refused += 1
                self._log_once(f"A message is refused and stored in the table `refused`: {receipt.reason}")

    def _log_once(self, sentence: str) -> None:
        """Once in an hour, as the next message has most probably the same fault."""
        if sentence not in self._logged:
            self._logged.add(sentence)
            log.warning(sentence)

    def _confirm(self, received: ReceivedMessage) -> None:
        connection = self._sender.connection
        if connection and received.mid is not None and received.connection == self._connections:
            connection.acknowledge(received.mid)

    def _create_partitions(self) -> None:
        try:
            self._store.make_partitions()
        except StoreError as error:
            log.debug("No partitions are created: %s", error)

    def _work_when_idle(self) -> bool:
        try:
            return self._when_idle()
        except StoreError as error:
            log.debug("The work of idle times is put off: %s", error)
            return False


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
