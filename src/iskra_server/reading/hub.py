"""The hub hands every sample to each subscriber's own bounded queue, and keeps the newest of each meter.

Nobody waits for anybody: a subscriber that does not keep up loses its oldest samples, and `dropped` counts them.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from iskra_server.meter.freshness import Pace
from iskra_server.meter.reading import Sample

# one minute of a meter that sends twice a second
QUEUE_LENGTH = 128
# for each further meter: many send at once, and again while the machine is busy elsewhere
QUEUE_LENGTH_PER_METER = 16


class Subscription:
    """An asynchronous iterator over samples, endless until `end()`: it then gives what has arrived, and no more."""

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
        """Take a sample of one of so many meters; none after the end."""
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
    """`newest` maps meter ids to the sample that arrived last, fresh or not; ask `is_fresh`."""

    def __init__(self, stale_after_s: float = 60.0) -> None:
        self.newest: dict[str, Sample] = {}
        self._stale_after_s = stale_after_s
        self._paces: dict[str, Pace] = {}
        self.published = 0
        self._subscriptions: list[Subscription] = []
        self._dropped: Counter[str] = Counter()

    def publish(self, sample: Sample, stale_after_s: float | None = None) -> None:
        """Hand a sample to everyone; `stale_after_s` is its meter's own limit of age, where it has one."""
        meter_id = sample.reading.meter_id
        self.newest[meter_id] = sample
        pace = self._paces.setdefault(meter_id, Pace(self._stale_after_s))
        pace.stale_after_s = stale_after_s or self._stale_after_s
        pace.arrived(sample.monotonic_s)
        self.published += 1
        for subscription in self._subscriptions:
            subscription.put(sample, len(self.newest))

    def forget(self, meter_id: str) -> None:
        """A meter that is no longer configured has no newest sample."""
        self.newest.pop(meter_id, None)
        self._paces.pop(meter_id, None)

    def is_fresh(self, meter_id: str, now_s: float) -> bool:
        """Whether the newest sample of a meter may be shown as its reading at `now_s` (boot time)."""
        pace = self._paces.get(meter_id)
        return pace is not None and pace.is_fresh(now_s)

    def stale_after_s(self, meter_id: str) -> float:
        """The age at which this meter's reading is stale."""
        pace = self._paces.get(meter_id)
        return pace.stale_after_s if pace else self._stale_after_s

    def age_s(self, meter_id: str, now_s: float) -> float | None:
        """How long ago the newest sample of a meter arrived, at `now_s` (boot time)."""
        pace = self._paces.get(meter_id)
        return pace.age_s(now_s) if pace else None

    def usual_interval_s(self, meter_id: str) -> float | None:
        """The usual time between two telegrams of a meter."""
        pace = self._paces.get(meter_id)
        return pace.usual_s if pace else None

    @contextmanager
    def subscribe(self, name: str, length: int = QUEUE_LENGTH) -> Iterator[Subscription]:
        """`with hub.subscribe("mqtt") as samples: async for sample in samples: ...`; more meters, a longer queue."""
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
        """How many samples the subscribers of each name have lost so far, those that are gone included."""
        lost = Counter(self._dropped)
        for subscription in self._subscriptions:
            lost[subscription.name] += subscription.dropped
        return dict(lost)
