"""A collector: takes its share of what readers send, and writes it in batches. Any number of them run at once.

    broker --- $share/GROUP/... ---> queue -> a batch -> one transaction -> "kept" to the readers, acknowledged

Nothing is acknowledged before it is committed. While the database is away a batch is tried again and again, and the
broker holds back the rest, as it may have only so many messages on their way. A collector keeps nothing: one that is
killed loses nothing that its readers will not send again. What cannot be written for its own sake goes to the table
`refused` with the reason, alone; the rest of its batch is written.
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

from iskra_server.fleet.central.ingest import ReceivedMessage, refuse, take
from iskra_server.fleet.central.store import keep
from iskra_server.history.store import StoreError
from iskra_server.history.store.database_errors import is_data_error
from iskra_server.history.store.store import Store
from iskra_server.outputs.mqtt.outbox import PUBLISHING, READING, Denied
from iskra_server.outputs.mqtt.settings import Settings, tls_context

log = logging.getLogger(__name__)

BATCH = 500
# batches in memory while the database is away
_MAX_WAITING = 4
# the broker does not hand over more; what is a little too long is refused with its reason (take.py)
_LARGEST_PACKET = 4 << 20
TOGETHER_S = 0.1
KINDS = ("quarters", "live", "status")
_RETRY_S, _MAX_RETRY_S = 0.5, 15.0
_LOOK_S = 0.5
_KEEP_ALIVE_S = 20
_GOODBYE_S = 3.0
_PREPARE_EVERY_S = 3600.0


class Collector:
    """`run` goes on until `stop`, from any thread. `kept` counts the messages that were written."""

    def __init__(self, *, settings: Settings, group: str, store: Store, name: str, batch: int = BATCH) -> None:
        self.kept = self.refused = 0
        self.subscribed = Event()
        self._settings = settings
        self._filters = [f"$share/{group}/{settings.base}/+/{kind}" for kind in KINDS]
        self._store = store
        self._most = batch
        self._came: queue.SimpleQueue[ReceivedMessage] = queue.SimpleQueue()
        self._stopping = Event()
        self._connection = 0
        self._is_away = self._is_denied = False
        self._client = self._make(name)

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        """Blocks. What has come is written before it returns, while the database takes it."""
        client, settings = self._client, self._settings
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum, properties.MaximumPacketSize = self._most, _LARGEST_PACKET
        client.connect_async(settings.host, settings.port, _KEEP_ALIVE_S, clean_start=True, properties=properties)
        client.loop_start()
        prepared_s = time.monotonic()
        try:
            while not self._stopping.is_set():
                if batch := self._gather():
                    self._write(batch)
                if time.monotonic() - prepared_s > _PREPARE_EVERY_S:
                    prepared_s = time.monotonic()
                    self._prepare()
            self._part()
        finally:
            client.disconnect()
            client.loop_stop()

    def _part(self) -> None:
        """Others take over at once; what has come already is still ours."""
        self._client.unsubscribe(self._filters)
        end_s = time.monotonic() + _GOODBYE_S
        while time.monotonic() < end_s and (batch := self._gather()):
            self._write(batch)

    def _gather(self) -> list[ReceivedMessage]:
        """What comes within a moment of each other goes together."""
        batch: list[ReceivedMessage] = []
        end_s = time.monotonic() + _LOOK_S
        while len(batch) < self._most and (left_s := end_s - time.monotonic()) > 0:
            try:
                batch.append(self._came.get(timeout=left_s))
            except queue.Empty:
                break
            if len(batch) == 1:
                end_s = time.monotonic() + TOGETHER_S
        return batch

    def _write(self, batch: Sequence[ReceivedMessage], reason: str = "") -> None:
        """Until it is written; with a reason the batch is one message, which is refused."""
        wait_s = _RETRY_S
        while True:
            taken = take([] if reason else batch)
            if reason:
                refuse(taken, 0, batch[0], reason, int(time.time()))
            try:
                keep(self._store, taken.batch())
            except StoreError as error:
                if is_data_error(error) and not reason:
                    return self._write_one_by_one(batch, str(error))
                log.warning("%s Nothing is lost; it is tried again.", error)
                if self._stopping.wait(wait_s):
                    return None
                wait_s = min(2 * wait_s, _MAX_RETRY_S)
            else:
                self._answer(batch, taken.reasons)
                return None

    def _write_one_by_one(self, batch: Sequence[ReceivedMessage], reason: str) -> None:
        for came in batch:
            self._write([came], reason if len(batch) == 1 else "")

    def _answer(self, batch: Sequence[ReceivedMessage], reasons: dict[int, str]) -> None:
        """The reader first: if that is lost, it sends again what is there already."""
        for place, came in enumerate(batch):
            reason = reasons.get(place, "")
            if came.answer_to == f"{self._settings.base}/{came.reader}/kept":
                properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
                properties.CorrelationData = came.number
                self._client.publish(came.answer_to, reason, qos=1, properties=properties)
            # a number of another connection means another message there
            if came.mid is not None and came.connection == self._connection:
                self._client.ack(came.mid, 1)
        self.kept += len(batch) - len(reasons)
        self.refused += len(reasons)
        for reason in set(reasons.values()):
            log.warning("a message is refused, and kept in the table refused: %s", reason)

    def _prepare(self) -> None:
        try:
            self._store.make_partitions()
        except StoreError as error:
            log.debug("no months are made: %s", error)

    def _make(self, name: str) -> paho.Client:
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
        client.on_connect = self._connected
        client.on_disconnect = self._lost
        client.on_subscribe = self._subscribed
        client.on_publish = self._answered
        client.on_message = self._take
        return client

    def _connected(self, client: paho.Client, _data: object, _flags: object, code: ReasonCode, _: object) -> None:
        if code.is_failure:
            self._away(str(code))
            return
        self._connection += 1
        self._is_away = False
        log.info("collecting from %s", self._settings.broker)
        client.subscribe([(each, SubscribeOptions(qos=1)) for each in self._filters])

    def _subscribed(self, _client: object, _data: object, _number: int, codes: Sequence[ReasonCode], _: object) -> None:
        for topic, code in zip(self._filters, codes, strict=False):
            if code.is_failure:
                log.error("nothing is collected: %s", Denied(READING, topic, str(code)))
                return
        self.subscribed.set()

    def _answered(self, _client: object, _data: object, _number: int, code: ReasonCode, _: object) -> None:
        """A reader that hears no answer sends its quarters again and again."""
        if code.is_failure and not self._is_denied:
            log.error("readers are not answered: %s", Denied(PUBLISHING, f"{self._settings.base}/+/kept", str(code)))
        self._is_denied = code.is_failure

    def _lost(self, _client: object, _data: object, _flags: object, code: ReasonCode, _: object) -> None:
        self.subscribed.clear()
        if not self._stopping.is_set():
            self._away(str(code))

    def _away(self, why: str) -> None:
        if not self._is_away:
            self._is_away = True
            log.warning("the broker %s is away (%s); it is looked for until it is back", self._settings.broker, why)

    def _take(self, _client: object, _data: object, came: paho.MQTTMessage) -> None:
        # the broker holds back what is acknowledged; the rest may be lost, as the next one replaces it
        if not came.qos and self._came.qsize() >= _MAX_WAITING * self._most:
            return
        properties = came.properties
        self._came.put(
            ReceivedMessage(
                came.topic,
                bytes(came.payload),
                came.mid if came.qos else None,
                self._connection,
                getattr(properties, "ResponseTopic", ""),
                getattr(properties, "CorrelationData", b""),
            )
        )
