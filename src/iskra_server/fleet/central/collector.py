"""A collector: receives its share of the messages of readers and writes them in batches. Any number run side by side.

    broker --- $share/GROUP/... ---> queue -> batch -> one transaction -> "kept" to the readers, then ack to the broker

A message is acknowledged after its commit, never before. While the database is away the same batch is retried, and the
broker holds back the rest, because only `batch` messages may be unacknowledged (Receive Maximum, MQTT 5). A collector
stores nothing itself: when it is killed, the readers send again. A message that the database refuses for its content
goes to the table `refused` with the reason; the rest of its batch is written.
"""

import logging
import queue
import time
from collections.abc import Sequence
from threading import Event

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from iskra_server.base.backoff import Backoff
from iskra_server.fleet.central.collector_state import CollectorState
from iskra_server.fleet.central.ingest import ReceivedMessage, ingest, refuse
from iskra_server.fleet.central.tables import write_batch
from iskra_server.history.store import StoreError
from iskra_server.history.store.database_errors import is_data_error
from iskra_server.history.store.store import Store
from iskra_server.mqtt.access import tls_context
from iskra_server.mqtt.message import PUBLISHING, READING, Denied
from iskra_server.outputs.mqtt.broker_settings import BrokerSettings

log = logging.getLogger(__name__)

BATCH = 500
# batches of live values in memory while the database is away
_MAX_WAITING = 4
# above the limit of ingest.py, so that a message a little too long is refused with a reason, not dropped by the broker
_MAX_PACKET = 4 << 20
# messages that arrive within this time go into one batch
TOGETHER_S = 0.1
KINDS = ("quarters", "live", "status")
_RETRY_S, _MAX_RETRY_S = 0.5, 15.0
_POLL_S = 0.5
_KEEP_ALIVE_S = 20
_DRAIN_S = 3.0
_PREPARE_EVERY_S = 3600.0


class Collector:
    """`run` blocks until `stop`, which any thread may call. `kept` and `refused` count messages."""

    def __init__(self, *, settings: BrokerSettings, group: str, store: Store, name: str, batch: int = BATCH) -> None:
        self.kept = self.refused = 0
        self.subscribed = Event()
        self._settings = settings
        self._filters = [f"$share/{group}/{settings.base}/+/{kind}" for kind in KINDS]
        self._store = store
        self._batch_size = batch
        self._received: queue.SimpleQueue[ReceivedMessage] = queue.SimpleQueue()
        self._stopping = Event()
        self._connection = 0
        # each is logged once
        self._is_away = self._is_denied = False
        self._client = self._create_client(name)

    def stop(self) -> None:
        self._stopping.set()

    def state(self) -> CollectorState:
        """Any thread may call it."""
        is_connected = self.subscribed.is_set()
        sentence = "" if is_connected else f"The broker {self._settings.broker} is away."
        return CollectorState(is_connected, sentence=sentence, kept=self.kept, refused=self.refused)

    def run(self) -> None:
        """Before it returns it writes what it has received, if the database is there."""
        client, settings = self._client, self._settings
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum, properties.MaximumPacketSize = self._batch_size, _MAX_PACKET
        client.connect_async(settings.host, settings.port, _KEEP_ALIVE_S, clean_start=True, properties=properties)
        client.loop_start()
        prepared_s = time.monotonic()
        try:
            while not self._stopping.is_set():
                if batch := self._next_batch():
                    self._write(batch)
                if time.monotonic() - prepared_s > _PREPARE_EVERY_S:
                    prepared_s = time.monotonic()
                    self._create_partitions()
            self._drain()
        finally:
            client.disconnect()
            client.loop_stop()

    def _drain(self) -> None:
        """Unsubscribe, so that other collectors take over at once; write what has arrived already."""
        self._client.unsubscribe(self._filters)
        end_s = time.monotonic() + _DRAIN_S
        while time.monotonic() < end_s and (batch := self._next_batch()):
            self._write(batch)

    def _next_batch(self) -> list[ReceivedMessage]:
        batch: list[ReceivedMessage] = []
        end_s = time.monotonic() + _POLL_S
        while len(batch) < self._batch_size and (left_s := end_s - time.monotonic()) > 0:
            try:
                batch.append(self._received.get(timeout=left_s))
            except queue.Empty:
                break
            if len(batch) == 1:
                end_s = time.monotonic() + TOGETHER_S
        return batch

    def _write(self, messages: Sequence[ReceivedMessage], reason: str = "") -> None:
        """Retry until it is written or `stop`. With a reason `messages` is one message, which is refused."""
        backoff = Backoff(_RETRY_S, _MAX_RETRY_S)
        while True:
            batch = ingest([] if reason else messages)
            if reason:
                refuse(batch, 0, messages[0], reason, int(time.time()))
            try:
                write_batch(self._store, batch)
            except StoreError as error:
                if is_data_error(error) and not reason:
                    return self._write_one_by_one(messages, str(error))
                log.warning("%s Nothing is lost; the collector tries again.", error)
                if self._stopping.wait(backoff.next_s()):
                    return None
            else:
                self._acknowledge(messages, batch.reasons)
                return None

    def _write_one_by_one(self, messages: Sequence[ReceivedMessage], reason: str) -> None:
        for received in messages:
            self._write([received], reason if len(messages) == 1 else "")

    def _acknowledge(self, messages: Sequence[ReceivedMessage], reasons: dict[int, str]) -> None:
        """First answer the reader, then ack to the broker: if only the answer is lost, the reader sends again."""
        for position, received in enumerate(messages):
            # a reader is answered under its own topic alone: the response topic is the sender's choice
            if received.answer_to == f"{self._settings.base}/{received.reader}/kept":
                properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
                properties.CorrelationData = received.number
                self._client.publish(received.answer_to, reasons.get(position, ""), qos=1, properties=properties)
            # packet numbers start again with each connection
            if received.mid is not None and received.connection == self._connection:
                self._client.ack(received.mid, 1)
        self.kept += len(messages) - len(reasons)
        self.refused += len(reasons)
        for reason in set(reasons.values()):
            log.warning("A message is refused and stored in the table `refused`: %s", reason)

    def _create_partitions(self) -> None:
        try:
            self._store.make_partitions()
        except StoreError as error:
            log.debug("No partitions are created: %s", error)

    def _create_client(self, name: str) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=paho.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=True,
        )
        settings = self._settings
        if settings.username:
            client.username_pw_set(settings.username, settings.password.reveal() or None)
        if context := tls_context(settings):
            client.tls_set_context(context)
        client.reconnect_delay_set(1, 30)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, code: ReasonCode, _: object) -> None:
        if code.is_failure:
            self._log_away(str(code))
            return
        self._connection += 1
        self._is_away = False
        log.info("Collecting from %s", self._settings.broker)
        client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in self._filters])

    def _on_subscribe(
        self, _client: object, _data: object, _number: int, codes: Sequence[ReasonCode], _: object
    ) -> None:
        for topic, code in zip(self._filters, codes, strict=False):
            if code.is_failure:
                log.error("Nothing is collected: %s", Denied(READING, topic, str(code)))
                return
        self.subscribed.set()

    def _on_publish(self, _client: object, _data: object, _number: int, code: ReasonCode, _: object) -> None:
        """The broker acknowledges or denies an answer; a reader without an answer sends its quarters again."""
        if code.is_failure and not self._is_denied:
            log.error("Readers get no answer: %s", Denied(PUBLISHING, f"{self._settings.base}/+/kept", str(code)))
        self._is_denied = code.is_failure

    def _on_disconnect(self, _client: object, _data: object, _flags: object, code: ReasonCode, _: object) -> None:
        self.subscribed.clear()
        if not self._stopping.is_set():
            self._log_away(str(code))

    def _log_away(self, why: str) -> None:
        if not self._is_away:
            self._is_away = True
            log.warning("The broker %s is away (%s); reconnecting until it is back.", self._settings.broker, why)

    def _on_message(self, _client: object, _data: object, received: paho.MQTTMessage) -> None:
        # QoS 1: the broker bounds how many wait; QoS 0: live values, of which a newer one follows
        if not received.qos and self._received.qsize() >= _MAX_WAITING * self._batch_size:
            return
        properties = received.properties
        self._received.put(
            ReceivedMessage(
                received.topic,
                bytes(received.payload),
                received.mid if received.qos else None,
                self._connection,
                getattr(properties, "ResponseTopic", ""),
                getattr(properties, "CorrelationData", b""),
            )
        )
