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

from iskra_server.diagnosis.status import Status
from iskra_server.fleet import messages as message
from iskra_server.fleet.edge.outbox import Outbox, Parcel
from iskra_server.fleet.messages import Topics
from iskra_server.history.model.power_ledger import power_mw
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store
from iskra_server.meter.guard import is_energy_counter
from iskra_server.meter.reading import Sample
from iskra_server.outputs.mqtt.connection import Broker, Link, keep_connected, noting_denials, why_ended
from iskra_server.outputs.mqtt.outbox import PUBLISHING, Message
from iskra_server.outputs.mqtt.settings import Settings
from iskra_server.outputs.state import OutputHealth
from iskra_server.reading.hub import Hub

log = logging.getLogger(__name__)

WINDOW = 8
RESEND_S, MAX_RESEND_S = 60.0, 900.0
STATUS_EVERY_S = 300.0
_LOOK_S = 1.0


class Sent(Struct, frozen=True):
    """A parcel on its way, at a monotonic moment."""

    parcel: Parcel
    at_s: float


class Uplink:
    """`run` ends only when it is cancelled. `store` gives None while history is not open."""

    def __init__(
        self,
        *,
        settings: Settings,
        reader: str,
        store: Callable[[], Store | None],
        hub: Hub,
        statuses: Callable[[], Sequence[Status]],
        version: str,
        live_every_s: float = 0.0,
        resend_s: float = RESEND_S,
    ) -> None:
        self._settings = settings
        self._topics = Topics(settings.base, reader)
        self._store = store
        self._hub = hub
        self._statuses = statuses
        self._version = version
        self._live_every_s = live_every_s
        self._resend_s = self._first_resend_s = resend_s
        self._begun: Store | None = None
        self._on_the_way: dict[bytes, Sent] = {}
        self._number = 0
        self._window = WINDOW
        self._kept: list[Parcel] = []
        self._changed = asyncio.Event()
        self.standing = OutputHealth("uplink")

    async def run(self) -> None:
        address = self._settings.broker
        await keep_connected(
            Broker(self._settings, self._topics["status"]),
            self.standing,
            self._session,
            connected=f"sending to the centre at {address}",
            lost=lambda error: (
                f"The centre at {address} is away: {self._settings.masked(error)}. {error.advice}. "
                "Quarters wait, and go when it is back."
            ),
        )

    async def _session(self, link: Link) -> None:
        # what was on its way through the old connection may have been lost with it
        self._on_the_way.clear()
        with noting_denials(self.standing):
            await link.subscribe(self._topics["kept"], qos=1)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(link), name="uplink answers")
                tasks.create_task(self._tell_status(link), name="uplink status")
                if self._live_every_s:
                    tasks.create_task(self._tell_live(link), name="uplink live")
                await self._send(link)
        except BaseExceptionGroup as errors:
            raise why_ended(errors) from None

    async def _send(self, link: Link) -> None:
        seen = -1
        while True:
            store = self._store()
            try:
                if store is not None:
                    await self._forget_kept(store)
                    self._give_up_waiting()
                    room, seen = self._window - len(self._on_the_way), store.outbox_revision
                    for parcel in await self._parcels(store, room) if room > 0 else ():
                        await self._send_one(link, parcel)
            except StoreError as error:
                log.debug("quarters wait for the database: %s", error)
            await self._something_to_do(store, seen)

    async def _parcels(self, store: Store, room: int) -> list[Parcel]:
        outbox = Outbox(store)
        if store is not self._begun:
            await asyncio.to_thread(outbox.begin, self._topics.reader)
            self._begun = store
        away: dict[str, list[int]] = {}
        for sent in self._on_the_way.values():
            away.setdefault(sent.parcel.meter.meter_id, []).extend(sent.parcel.marks)
        return await asyncio.to_thread(outbox.parcels, room, away)

    async def _send_one(self, link: Link, parcel: Parcel) -> None:
        self._number += 1
        number = self._number.to_bytes(4)
        self._on_the_way[number] = Sent(parcel, time.monotonic())
        payload = message.encode(message.quarters(parcel.meter, parcel.records))
        with noting_denials(self.standing):
            await link.ask(Message(self._topics["quarters"], payload), self._topics["kept"], number)
            self.standing.allowed(f"{PUBLISHING} {self._topics['quarters']}")

    async def _hear(self, link: Link) -> None:
        async for answer in link.messages:
            number = getattr(answer.properties, "CorrelationData", b"")
            sent = self._on_the_way.pop(number, None)
            if sent is None:
                continue
            if reason := bytes(answer.payload).decode(errors="replace"):
                log.warning("the centre refuses quarters of %s: %s", sent.parcel.meter.meter_id, reason)
            self._kept.append(sent.parcel)
            self.standing.delivered += len(sent.parcel.marks)
            self._window, self._resend_s = WINDOW, self._first_resend_s
            self._changed.set()

    async def _forget_kept(self, store: Store) -> None:
        if kept := self._kept:
            self._kept = []
            await asyncio.to_thread(Outbox(store).confirm, kept)

    def _give_up_waiting(self) -> None:
        """Nobody answers: what is on its way counts as lost, and the next goes alone and later."""
        oldest_s = min((sent.at_s for sent in self._on_the_way.values()), default=time.monotonic())
        if time.monotonic() - oldest_s > self._resend_s:
            self._on_the_way.clear()
            self._window, self._resend_s = 1, min(2 * self._resend_s, MAX_RESEND_S)

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

    async def _tell_live(self, link: Link) -> None:
        told_s: dict[str, float] = {}
        with self._hub.subscribe("uplink") as samples:
            async for sample in samples:
                meter = sample.reading.meter_id
                if sample.monotonic_s - told_s.get(meter, -self._live_every_s) >= self._live_every_s:
                    told_s[meter] = sample.monotonic_s
                    link.mention(Message(self._topics["live"], message.encode(live(sample))))

    async def _tell_status(self, link: Link) -> None:
        """When it changes, and now and then."""
        told, told_s = None, 0.0
        while True:
            sources = [_source(status) for status in self._statuses()]
            if sources != told or time.monotonic() - told_s >= STATUS_EVERY_S:
                told, told_s = sources, time.monotonic()
                status = message.ReaderStatus(message.VERSION, int(time.time()), self._version, sources)
                with noting_denials(self.standing):
                    await link.send(Message(self._topics["status"], message.encode(status)), retain=False)
                    self.standing.allowed(f"{PUBLISHING} {self._topics['status']}")
            await asyncio.sleep(_LOOK_S * 5)


def live(sample: Sample) -> message.Live:
    """A meter's power and counters, exactly as they came."""
    reading = sample.reading
    counters = {
        str(register.obis): (int(register.raw), register.scaler or 0)
        for register in reading.registers
        if is_energy_counter(register)
    }
    power = power_mw(reading.registers)
    return message.Live(message.VERSION, reading.meter_id, int(sample.received_at.timestamp()), power, counters)


def _source(status: Status) -> message.SourceStatus:
    return message.SourceStatus(status.source, status.meter_id, status.ok, status.failed_check, status.sentence)
