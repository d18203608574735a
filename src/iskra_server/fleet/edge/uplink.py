"""A reader's road to the centre: every closed quarter, until the centre has said that it keeps it.

    ledger -> outbox -> at most WINDOW messages on their way -> broker -> a collector -> its database
       ^____________________ "kept": the marks of these quarters go ____________________|

The broker's own acknowledgement is not enough: it may forget, and may have nobody to give a message to. What is not
answered goes again, ever more rarely and one at a time while nobody answers, so that a centre that comes back is not
flooded. Live values are sent beside that, and may be lost.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from iskra_server.base.backoff import Backoff
from iskra_server.diagnosis.status import Status
from iskra_server.fleet import messages as message
from iskra_server.fleet.edge.uplink_queue import Parcel, UplinkQueue
from iskra_server.fleet.messages import ReaderTopics
from iskra_server.history.model.power_ledger import power_mw
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store
from iskra_server.meter.guard import is_energy_counter
from iskra_server.meter.reading import Sample
from iskra_server.outputs.mqtt.broker import Broker, keep_connected, reporting_denials
from iskra_server.outputs.mqtt.broker_connection import BrokerConnection, error_of
from iskra_server.outputs.mqtt.message import PUBLISHING, Message
from iskra_server.outputs.mqtt.settings import BrokerSettings
from iskra_server.outputs.state import OutputHealth
from iskra_server.reading.hub import Hub

log = logging.getLogger(__name__)

WINDOW = 8
RESEND_S, MAX_RESEND_S = 60.0, 900.0
STATUS_EVERY_S = 300.0
_LOOK_S = 1.0


class InFlight(Struct, frozen=True):
    """A parcel on its way, at a monotonic moment."""

    parcel: Parcel
    at_s: float


class Uplink:
    """`run` ends only when it is cancelled. `store` gives None while history is not open."""

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
        self._begun: Store | None = None
        self._in_flight: dict[bytes, InFlight] = {}
        self._number = 0
        self._window = WINDOW
        self._kept: list[Parcel] = []
        self._changed = asyncio.Event()
        self.health = OutputHealth("uplink")

    async def run(self) -> None:
        address = self._settings.broker
        await keep_connected(
            Broker(self._settings, self._topics["status"]),
            self.health,
            self._session,
            connected=f"sending to the centre at {address}",
            lost=lambda error: (
                f"The centre at {address} is away: {self._settings.masked(error)}. {error.advice}. "
                "Quarters wait, and go when it is back."
            ),
        )

    async def _session(self, connection: BrokerConnection) -> None:
        # what was on its way through the old connection may have been lost with it
        self._in_flight.clear()
        with reporting_denials(self.health):
            await connection.subscribe(self._topics["kept"], qos=1)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(connection), name="uplink answers")
                tasks.create_task(self._tell_status(connection), name="uplink status")
                if self._live_every_s:
                    tasks.create_task(self._tell_live(connection), name="uplink live")
                await self._send(connection)
        except BaseExceptionGroup as errors:
            raise error_of(errors) from None

    async def _send(self, connection: BrokerConnection) -> None:
        seen = -1
        while True:
            store = self._store()
            try:
                if store is not None:
                    await self._forget_kept(store)
                    self._give_up_waiting()
                    room, seen = self._window - len(self._in_flight), store.outbox_revision
                    for parcel in await self._parcels(store, room) if room > 0 else ():
                        await self._send_one(connection, parcel)
            except StoreError as error:
                log.debug("quarters wait for the database: %s", error)
            await self._something_to_do(store, seen)

    async def _parcels(self, store: Store, room: int) -> list[Parcel]:
        outbox = UplinkQueue(store)
        if store is not self._begun:
            await asyncio.to_thread(outbox.enable, self._topics.reader)
            self._begun = store
        away: dict[str, list[int]] = {}
        for sent in self._in_flight.values():
            away.setdefault(sent.parcel.meter.meter_id, []).extend(sent.parcel.marks)
        return await asyncio.to_thread(outbox.next_parcels, room, away)

    async def _send_one(self, connection: BrokerConnection, parcel: Parcel) -> None:
        self._number += 1
        number = self._number.to_bytes(4)
        self._in_flight[number] = InFlight(parcel, time.monotonic())
        payload = message.encode(message.quarters(parcel.meter, parcel.records))
        with reporting_denials(self.health):
            await connection.request(Message(self._topics["quarters"], payload), self._topics["kept"], number)
            self.health.allowed(f"{PUBLISHING} {self._topics['quarters']}")

    async def _hear(self, connection: BrokerConnection) -> None:
        async for answer in connection.messages():
            number = getattr(answer.properties, "CorrelationData", b"")
            sent = self._in_flight.pop(number, None)
            if sent is None:
                continue
            if reason := bytes(answer.payload).decode(errors="replace"):
                log.warning("the centre refuses quarters of %s: %s", sent.parcel.meter.meter_id, reason)
            self._kept.append(sent.parcel)
            self.health.delivered += len(sent.parcel.marks)
            self._backoff.reset()
            self._window, self._resend_s = WINDOW, self._backoff.next_s()
            self._changed.set()

    async def _forget_kept(self, store: Store) -> None:
        if kept := self._kept:
            self._kept = []
            await asyncio.to_thread(UplinkQueue(store).confirm, kept)

    def _give_up_waiting(self) -> None:
        """Nobody answers: what is on its way counts as lost, and the next goes alone and later."""
        oldest_s = min((sent.at_s for sent in self._in_flight.values()), default=time.monotonic())
        if time.monotonic() - oldest_s > self._resend_s:
            self._in_flight.clear()
            self._window, self._resend_s = 1, self._backoff.next_s()

    async def _something_to_do(self, store: Store | None, seen: int) -> None:
        """An answer has come, or the ledger has grown, or a moment has passed in which something may be late."""
        late_s = time.monotonic() + self._resend_s
        while time.monotonic() < late_s:
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._changed.wait()
            except TimeoutError:
                if store is None or store is not self._store() or store.outbox_revision != seen:
                    return
            else:
                self._changed.clear()
                return

    async def _tell_live(self, connection: BrokerConnection) -> None:
        told_s: dict[str, float] = {}
        with self._hub.subscribe("uplink") as samples:
            async for sample in samples:
                meter = sample.reading.meter_id
                if sample.monotonic_s - told_s.get(meter, -self._live_every_s) >= self._live_every_s:
                    told_s[meter] = sample.monotonic_s
                    connection.publish_qos0(Message(self._topics["live"], message.encode(live(sample))))

    async def _tell_status(self, connection: BrokerConnection) -> None:
        """When it changes, and now and then."""
        told, told_s = None, 0.0
        while True:
            sources = [_source(status) for status in self._statuses()]
            if sources != told or time.monotonic() - told_s >= STATUS_EVERY_S:
                told, told_s = sources, time.monotonic()
                status = message.ReaderStatus(message.VERSION, int(time.time()), self._version, sources)
                with reporting_denials(self.health):
                    await connection.publish(Message(self._topics["status"], message.encode(status)), retain=False)
                    self.health.allowed(f"{PUBLISHING} {self._topics['status']}")
            await asyncio.sleep(_LOOK_S * 5)


def live(sample: Sample) -> message.LiveValues:
    """A meter's power and counters, exactly as they came."""
    reading = sample.reading
    counters = {
        str(register.obis): (int(register.raw), register.scaler or 0)
        for register in reading.registers
        if is_energy_counter(register)
    }
    power = power_mw(reading.registers)
    return message.LiveValues(message.VERSION, reading.meter_id, int(sample.received_at.timestamp()), power, counters)


def _source(status: Status) -> message.ReaderSource:
    return message.ReaderSource(status.source, status.meter_id, status.ok, status.failed_check, status.sentence)
