"""The uplink of a reader: sends every closed quarter until the central server has confirmed it.

    ledger -> queue -> at most WINDOW messages in flight -> broker -> a collector -> its database
       ^_____________________ "kept": remove the marks of these quarters ____________|

An acknowledgement of the broker is not enough: it may lose a message, or have no collector to deliver it to. Without an
answer, messages are sent again, one at a time and with growing delays, so that readers do not flood a central server
that comes back. Live values are sent once and may be lost.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from iskra_server.base.backoff import Backoff
from iskra_server.diagnosis.status import Status
from iskra_server.fleet import protocol
from iskra_server.fleet.edge.uplink_queue import Parcel, UplinkQueue
from iskra_server.fleet.protocol import ReaderTopics
from iskra_server.history.model.power_ledger import power_mw
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store
from iskra_server.meter.counter_rules import is_energy_counter
from iskra_server.meter.lists import current_reading
from iskra_server.meter.medium import is_electricity
from iskra_server.meter.reading import Sample
from iskra_server.meter.virtual_meter import is_virtual
from iskra_server.mqtt.broker import Broker
from iskra_server.mqtt.broker_connection import BrokerConnection
from iskra_server.mqtt.message import PUBLISHING, Message, error_of
from iskra_server.outputs.mqtt.broker_settings import BrokerSettings
from iskra_server.outputs.mqtt.keep_connected import keep_connected, reporting_denials
from iskra_server.outputs.mqtt.topics import OFFLINE
from iskra_server.outputs.state import OutputHealth
from iskra_server.reading.hub import Hub

log = logging.getLogger(__name__)

WINDOW = 8
RESEND_S, MAX_RESEND_S = 60.0, 900.0
STATUS_EVERY_S = 300.0
_CHECK_STATUS_EVERY_S = 5.0
# the writer's thread changes the store and its marks; an event from there would need the store to know of the uplink
_POLL_S = 1.0


class InFlight(Struct, frozen=True):
    """A parcel that was sent at a monotonic time and is not answered yet."""

    parcel: Parcel
    at_s: float


class Uplink:
    """`run` ends only when it is cancelled. `store` returns None while history is not open."""

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
    ) -> None:
        self._settings = settings
        self._topics = ReaderTopics(settings.base, reader)
        self._store = store
        self._hub = hub
        self._statuses = statuses
        self._version = version
        self._live_every_s = live_every_s
        self._backoff = Backoff(resend_s, MAX_RESEND_S)
        self._resend_s = self._backoff.next_s()
        self._enabled_store: Store | None = None
        self._in_flight: dict[bytes, InFlight] = {}
        self._number = 0
        self._window = WINDOW
        self._answered: list[Parcel] = []
        self._has_answer = asyncio.Event()
        self.health = OutputHealth("uplink")

    async def run(self) -> None:
        address = self._settings.broker
        await keep_connected(
            Broker(self._settings, Message(self._topics["status"], OFFLINE)),
            self.health,
            self._session,
            connected=f"Sending to the central server at {address}",
            lost=lambda error: (
                f"The central server at {address} is away: {self._settings.masked(error)}. {error.advice}. "
                "Quarters wait and are sent when it is back."
            ),
        )

    async def _session(self, connection: BrokerConnection) -> None:
        # messages may have been lost with the old connection
        self._in_flight.clear()
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
            connection.publish_qos0(Message(self._topics["status"], OFFLINE))
            raise
        except BaseExceptionGroup as errors:
            raise error_of(errors) from None

    async def _send_quarters(self, connection: BrokerConnection) -> None:
        marked = -1
        while True:
            store = self._store()
            try:
                if store is not None:
                    await self._confirm_answered(store)
                    self._drop_unanswered()
                    room, marked = self._window - len(self._in_flight), store.outbox_revision
                    for parcel in await self._next_parcels(store, room) if room > 0 else ():
                        await self._send_parcel(connection, parcel)
            except StoreError as error:
                log.debug("Quarters wait for the database: %s", error)
            await self._wait_for_work(store, marked)

    async def _next_parcels(self, store: Store, room: int) -> list[Parcel]:
        queued = UplinkQueue(store)
        if store is not self._enabled_store:
            await asyncio.to_thread(queued.enable, self._topics.reader)
            self._enabled_store = store
        in_flight: dict[str, list[int]] = {}
        for sent in self._in_flight.values():
            in_flight.setdefault(sent.parcel.meter.meter_id, []).extend(sent.parcel.marks)
        return await asyncio.to_thread(queued.next_parcels, room, in_flight)

    async def _send_parcel(self, connection: BrokerConnection, parcel: Parcel) -> None:
        self._number += 1
        number = self._number.to_bytes(4)
        self._in_flight[number] = InFlight(parcel, time.monotonic())
        payload = protocol.encode(protocol.quarters(parcel.meter, parcel.records))
        with reporting_denials(self.health):
            await connection.request(
                Message(self._topics["quarters"], payload, correlation=number), self._topics["kept"]
            )
            self.health.allowed(f"{PUBLISHING} {self._topics['quarters']}")

    async def _receive_answers(self, connection: BrokerConnection) -> None:
        async for answer in connection.messages():
            number = getattr(answer.properties, "CorrelationData", b"")
            sent = self._in_flight.pop(number, None)
            if sent is None:
                continue
            if reason := bytes(answer.payload).decode(errors="replace"):
                log.warning("The central server refuses quarters of %s: %s", sent.parcel.meter.meter_id, reason)
            self._answered.append(sent.parcel)
            self.health.delivered += len(sent.parcel.marks)
            self._backoff.reset()
            self._window, self._resend_s = WINDOW, self._backoff.next_s()
            self._has_answer.set()

    async def _confirm_answered(self, store: Store) -> None:
        if answered := self._answered:
            self._answered = []
            await asyncio.to_thread(UplinkQueue(store).confirm, answered)

    def _drop_unanswered(self) -> None:
        """After a timeout everything in flight is lost; then messages go one at a time, with a longer timeout."""
        oldest_s = min((sent.at_s for sent in self._in_flight.values()), default=time.monotonic())
        if time.monotonic() - oldest_s > self._resend_s:
            self._in_flight.clear()
            self._window, self._resend_s = 1, self._backoff.next_s()

    async def _wait_for_work(self, store: Store | None, marked: int) -> None:
        """Until an answer arrives, the ledger has changed, history was reopened, or the timeout is over."""
        end_s = time.monotonic() + self._resend_s
        while time.monotonic() < end_s:
            try:
                async with asyncio.timeout(_POLL_S):
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
            sources = [_source(status) for status in self._statuses()]
            if sources != sent or time.monotonic() - sent_s >= STATUS_EVERY_S:
                sent, sent_s = sources, time.monotonic()
                status = protocol.ReaderStatus(protocol.VERSION, int(time.time()), self._version, sources)
                with reporting_denials(self.health):
                    await connection.publish(Message(self._topics["status"], protocol.encode(status)), retain=False)
                    self.health.allowed(f"{PUBLISHING} {self._topics['status']}")
            await asyncio.sleep(_CHECK_STATUS_EVERY_S)


def live(sample: Sample) -> protocol.LiveValues:
    """The power and counters of a sample, exact."""
    reading = sample.reading
    counters = {
        str(register.obis): (int(register.raw), register.scaler or 0)
        for register in reading.registers
        if is_energy_counter(register)
    }
    power = power_mw(current_reading(sample, 0.0).registers)
    return protocol.LiveValues(protocol.VERSION, reading.meter_id, int(sample.received_at.timestamp()), power, counters)


def _source(status: Status) -> protocol.ReaderSource:
    return protocol.ReaderSource(status.source, status.meter_id, status.ok, status.failed_check, status.sentence)
