"""The output: watches the meters, applies the rules, and gives their messages to the channels.

statuses, every few seconds --> meter rules --.
telegrams ------------------> load rule ------+--> messages --> a delivery for each channel
history, once a minute -----> digests --------'        '-------> memory file
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from iskra_server.base.clock import boottime_s
from iskra_server.base.language import NOTHING, after_each_other
from iskra_server.config import AlertsConfig
from iskra_server.diagnosis.status import Status
from iskra_server.history.store import StoreError
from iskra_server.meter.virtual_meter import is_virtual
from iskra_server.outputs.notify import digests
from iskra_server.outputs.notify.channel import Channel
from iskra_server.outputs.notify.delivery import Delivery
from iskra_server.outputs.notify.digests import DigestSettings, ReadMeter
from iskra_server.outputs.notify.load_rule import LoadRule
from iskra_server.outputs.notify.memory import ChannelMemory, Memory, MemoryFile, encoded
from iskra_server.outputs.notify.messages import MeterMessage
from iskra_server.outputs.notify.meter_rules import MeterRules
from iskra_server.outputs.state import OutputState
from iskra_server.reading.hub import Hub

if TYPE_CHECKING:
    # for its type alone: it brings the database library along
    from iskra_server.history.store.store import Store

NAME = "notify"
LOOK_EVERY_S = 5.0
_DIGESTS_EVERY_S = 60.0
_MINUTE_S = 60.0
# so often in the time after which people are told
_LOOKS = 4

log = logging.getLogger(__name__)


class Notifier:
    """`run` goes on until it is cancelled; what waits then is in the memory file."""

    def __init__(
        self,
        *,
        channels: Sequence[Channel],
        alerts: AlertsConfig,
        digest: DigestSettings,
        file: MemoryFile,
        hub: Hub,
        statuses: Callable[[], Iterable[Status]],
        store: "Callable[[], Store | None]",
        first_retry_s: float = 5.0,
    ) -> None:
        self._channels = channels
        self._alerts = alerts
        self._digest = digest
        self._file = file
        self._hub = hub
        self._statuses = statuses
        self._store = store
        self._first_retry_s = first_retry_s
        self._memory = Memory()
        self._deliveries: list[Delivery] = []
        self._names: dict[str, str] = {}
        self._dropped = 0
        self._storing = asyncio.Lock()

    @property
    def state(self) -> OutputState:
        failing = [delivery for delivery in self._deliveries if delivery.sentence != NOTHING]
        english, german = after_each_other(*(delivery.sentence for delivery in failing), self._file.error)
        return OutputState(
            NAME,
            ok=not english,
            sentence=english,
            sentence_de=german,
            since=min((delivery.since for delivery in failing if delivery.since), default=None),
            delivered=sum(delivery.delivered for delivery in self._deliveries),
            waiting=sum(delivery.waiting for delivery in self._deliveries),
            refused=sum(delivery.refused for delivery in self._deliveries),
            dropped=self._dropped + sum(delivery.dropped for delivery in self._deliveries),
        )

    async def run(self) -> None:
        memory, existed = await asyncio.to_thread(self._file.load)
        self._memory = memory
        if not existed:
            digests.skip_earlier(memory, self._now())
        self._deliveries = [self._delivery(channel) for channel in self._channels]
        self._forget_channels()
        try:
            async with asyncio.TaskGroup() as tasks:
                for delivery in self._deliveries:
                    tasks.create_task(delivery.run(), name=f"{NAME}: {delivery.channel.name}")
                tasks.create_task(self._watch(), name=f"{NAME}: watch")
                if self._alerts.load_above_w:
                    tasks.create_task(self._watch_load(), name=f"{NAME}: load")
        finally:
            # the end of the server does not cancel this
            await asyncio.shield(asyncio.create_task(self._store_memory()))

    def _delivery(self, channel: Channel) -> Delivery:
        memory = self._memory.channels.setdefault(channel.name, ChannelMemory())
        return Delivery(channel, memory, self._store_memory, first_retry_s=self._first_retry_s)

    def _forget_channels(self) -> None:
        """What waits for a channel that is no longer configured is lost."""
        names = {channel.name for channel in self._channels}
        for name in self._memory.channels.keys() - names:
            if lost := len(self._memory.channels.pop(name).waiting):
                self._dropped += lost
                log.warning("The channel %s is no longer configured: %d messages that waited are lost.", name, lost)

    async def _watch(self) -> None:
        alerts = self._alerts
        limit_s = alerts.silent_after_minutes * _MINUTE_S
        rules = MeterRules(self._memory, limit_s, alerts.repeat_after_minutes * _MINUTE_S)
        every_s, digests_at_s = min(LOOK_EVERY_S, limit_s / _LOOKS), 0.0
        while True:
            await self._store_memory()
            await asyncio.sleep(every_s)
            statuses = [status async for status in _one_by_one(self._statuses())]
            now, boot_s = self._now(), boottime_s()
            self._note_meters(statuses, now)
            self._enqueue(rules.observe(statuses, boot_s, now))
            if boot_s >= digests_at_s:
                digests_at_s = boot_s + _DIGESTS_EVERY_S
                await self._send_digests(statuses, now)

    async def _watch_load(self) -> None:
        alerts = self._alerts
        for_s, repeat_s = alerts.load_for_minutes * _MINUTE_S, alerts.repeat_after_minutes * _MINUTE_S
        rule = LoadRule(self._memory, alerts.load_above_w, for_s, repeat_s, self._digest.tz)
        with self._hub.subscribe(NAME) as samples:
            async for sample in samples:
                meter = sample.reading.meter_id
                # the meters that a virtual one is computed from are watched themselves
                if self._hub.is_production(meter) or is_virtual(sample.reading):
                    continue
                self._enqueue(rule.observe(sample, self._names.get(meter, meter)))

    async def _send_digests(self, statuses: Sequence[Status], now: datetime) -> None:
        """Not while the clock cannot be trusted, or history is not open."""
        store = self._store()
        meters = [
            ReadMeter(meter, self._names[meter])
            for meter in self._hub.electricity_meters()
            if meter in self._names and not self._hub.is_production(meter)
        ]
        has_clock = not any(status.facts.clock_problem for status in statuses)
        if store is None or not meters or not has_clock or not digests.is_due(self._memory, self._digest, now):
            return
        try:
            work = await asyncio.to_thread(digests.read_due, store, meters, self._memory, self._digest, now)
        except StoreError as error:
            log.debug("Digest: %s", error)
            return
        self._enqueue(digests.remember(work, self._memory, self._digest, now))

    def _note_meters(self, statuses: Sequence[Status], now: datetime) -> None:
        for status in statuses:
            if status.meter_id:
                self._names[status.meter_id] = status.facts.name or status.meter_id
        self._memory.forget_old(now.timestamp(), [status.source for status in statuses])

    def _enqueue(self, messages: Iterable[MeterMessage]) -> None:
        for message in messages:
            for delivery in self._deliveries:
                delivery.enqueue(message)

    async def _store_memory(self) -> None:
        async with self._storing:
            await asyncio.to_thread(self._file.store, encoded(self._memory))

    def _now(self) -> datetime:
        return datetime.now(self._digest.tz)


async def _one_by_one(statuses: Iterable[Status]) -> AsyncIterator[Status]:
    """Other tasks run between two meters."""
    for status in statuses:
        yield status
        await asyncio.sleep(0)
