"""The hub puts every sample into a bounded queue of each subscriber, and keeps the newest sample of each meter.

Publishing never waits: a slow subscriber loses its oldest samples, and `dropped` counts them.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from iskra_server.meter.freshness import Freshness
from iskra_server.meter.identity import compact_name
from iskra_server.meter.lists import list_of, merge
from iskra_server.meter.medium import is_electricity
from iskra_server.meter.reading import Sample

STALE_AFTER_S = 60.0
# one minute of a meter that sends two telegrams a second
QUEUE_LENGTH = 128
# Norwegian meters send their counters once an hour, Slovenian ones every 15 minutes
COUNTERS_STALE_AFTER_S = 4500.0
# for each further meter: many send at the same moment, and again while the event loop is busy
QUEUE_LENGTH_PER_METER = 16


class Subscription:
    """An asynchronous iterator over samples; after `end()` it returns the queued ones and stops."""

    def __init__(self, name: str, length: int) -> None:
        self.name = name
        self.dropped = 0
        self._length = length
        self._samples: deque[Sample] = deque()
        self._arrival = asyncio.Event()
        self._has_ended = False

    def end(self) -> None:
        self._has_ended = True
        self._arrival.set()

    def put(self, sample: Sample, meters: int = 1) -> None:
        """Queue a sample of one of so many meters; ignored after `end`."""
        if self._has_ended:
            return
        self._samples.append(sample)
        if len(self._samples) > self._length + (meters - 1) * QUEUE_LENGTH_PER_METER:
            self._samples.popleft()
            self.dropped += 1
        self._arrival.set()

    def __aiter__(self) -> AsyncIterator[Sample]:
        return self

    async def __anext__(self) -> Sample:
        while not self._samples:
            if self._has_ended:
                raise StopAsyncIteration
            self._arrival.clear()
            await self._arrival.wait()
        return self._samples.popleft()


class Hub:
    """`newest` is the last sample of each meter id, merged (meter/lists.py); `is_fresh` says whether it is current."""

    def __init__(self, stale_after_s: float = STALE_AFTER_S) -> None:
        self.newest: dict[str, Sample] = {}
        self._stale_after_s = stale_after_s
        self._meters: dict[str, Freshness] = {}
        self._production_meters: set[str] = set()
        self.published = 0
        self._subscriptions: list[Subscription] = []
        self._dropped: Counter[str] = Counter()

    def publish(
        self,
        sample: Sample,
        stale_after_s: float | None = None,
        counters_stale_after_s: float = COUNTERS_STALE_AFTER_S,
        *,
        is_production: bool = False,
    ) -> Sample:
        """Queue a sample, merged with what the meter's other lists had, for every subscriber; returns the merged one.

        `stale_after_s` is the age limit of this meter, None for the default; `counters_stale_after_s` that of counters
        that come in a list of their own. `is_production`: the meter measures what a solar plant produces.
        """
        meter_id = sample.reading.meter_id
        (self._production_meters.add if is_production else self._production_meters.discard)(meter_id)
        meter = self._meters.setdefault(meter_id, Freshness(self._stale_after_s))
        meter.stale_after_s = stale_after_s or self._stale_after_s
        meter.note_arrival(sample.monotonic_s, list_of(sample.reading), waited_s=sample.waited_s)
        sample = merge(
            self.newest.get(meter_id),
            sample,
            stale_after_s=meter.stale_after_s,
            counters_stale_after_s=counters_stale_after_s,
        )
        self.newest[meter_id] = sample
        self.published += 1
        for subscription in self._subscriptions:
            subscription.put(sample, len(self.newest))
        return sample

    def forget(self, meter_id: str) -> None:
        """Remove a meter that is no longer configured."""
        self.newest.pop(meter_id, None)
        self._meters.pop(meter_id, None)
        self._production_meters.discard(meter_id)

    def find(self, name: str) -> str | None:
        """The id of the meter with this label, with or without spaces, or with this server id in hex."""
        if name in self.newest:
            return name
        wanted = compact_name(name)
        return next(
            (
                meter_id
                for meter_id, sample in self.newest.items()
                if wanted in (compact_name(meter_id), sample.reading.server_id.hex())
            ),
            None,
        )

    def electricity_meters(self) -> list[str]:
        """The ids of the meters that were read, without gas, water and heat."""
        return [meter_id for meter_id, sample in self.newest.items() if is_electricity(sample.reading)]

    def is_production(self, meter_id: str) -> bool:
        """Whether a meter measures what a solar plant produces, not energy from and to the grid."""
        return meter_id in self._production_meters

    def is_fresh(self, meter_id: str, now_s: float) -> bool:
        """Whether the newest sample of a meter is its current reading at `now_s` (boot time)."""
        meter = self._meters.get(meter_id)
        return meter is not None and meter.is_fresh(now_s)

    def stale_after_s(self, meter_id: str) -> float:
        """The age at which this meter's reading is stale."""
        meter = self._meters.get(meter_id)
        return meter.stale_after_s if meter else self._stale_after_s

    def age_s(self, meter_id: str, now_s: float) -> float | None:
        """How long ago the newest sample of a meter arrived, at `now_s` (boot time)."""
        meter = self._meters.get(meter_id)
        return meter.age_s(now_s) if meter else None

    def usual_interval_s(self, meter_id: str) -> float | None:
        """The usual time between two telegrams of a meter."""
        meter = self._meters.get(meter_id)
        return meter.usual_s if meter else None

    @contextmanager
    def subscribe(self, name: str, length: int = QUEUE_LENGTH) -> Iterator[Subscription]:
        """`with hub.subscribe("mqtt") as samples: async for sample in samples: ...`; grows with the meters."""
        subscription = Subscription(name, length)
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)
            self._dropped[name] += subscription.dropped

    def subscriptions(self) -> tuple[Subscription, ...]:
        return tuple(self._subscriptions)

    def dropped(self) -> dict[str, int]:
        """Lost samples by name of subscriber, former subscribers included."""
        lost = Counter(self._dropped)
        for subscription in self._subscriptions:
            lost[subscription.name] += subscription.dropped
        return dict(lost)
