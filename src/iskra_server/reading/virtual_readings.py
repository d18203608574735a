"""Publishes virtual meters to the hub, as samples of their own whose age is that of their oldest part.

Z1      x---------x---------x---------x        A sample is published when the newest values of all parts belong
Z2        y---------y---------y                together: at y, not at x, where the next y is nearer.
Z1-Z2     v         v         v                Without one part for 3 s the virtual meter is stale like any other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from iskra_server.base.clock import boottime_s
from iskra_server.diagnosis.advice import Advice, advise
from iskra_server.meter.lists import shown
from iskra_server.meter.lock import counts_whole_kwh, sends_locked
from iskra_server.meter.reading import Reading, Sample
from iskra_server.meter.signed_power import POWER
from iskra_server.meter.virtual_meter import (
    VIRTUAL,
    MeterPart,
    VirtualMeter,
    VirtualMeters,
    belong_together,
    is_virtual,
    virtual_reading,
)
from iskra_server.reading.hub import Hub

# two times of one arrival may differ by their rounding
_SAME_S = 1e-6


class VirtualPart(Struct, frozen=True):
    """A meter of a virtual one. `meter` is its id, null while it is unknown; `age_s` that of its power."""

    name: str
    counts: Literal["plus", "minus"]
    meter: str | None
    fresh: bool
    age_s: float | None


class VirtualState(Struct, frozen=True):
    """A virtual meter now. `ok`: its power is current; `age_s` is that of the oldest part. `advice` says why not.

    `notices` are worth knowing, such as that a part sends whole kWh.
    """

    id: str
    ok: bool
    simulated: bool
    age_s: float | None
    stale_after_s: float
    parts: list[VirtualPart]
    sentence: str
    advice: Advice
    notices: list[Advice]


class _PartNow(Struct, frozen=True):
    """A part with its newest sample, and what was current in it.

    `age_s` is that of its power, `arrived_s` the boot time of its telegram; None and 0 without a power.
    """

    part: MeterPart
    meter_id: str | None
    sample: Sample | None
    reading: Reading | None
    age_s: float | None
    arrived_s: float
    is_fresh: bool


class VirtualReadings:
    """`meters` are those of the configuration now."""

    def __init__(self, hub: Hub, meters: VirtualMeters) -> None:
        self._hub = hub
        self._meters = meters
        # the boot time of the oldest part that was published last
        self._published_s: dict[str, float] = {}
        # name of a part -> its meter; how many meters there were when it was last searched, and the newest of them
        self._found: dict[str, str] = {}
        self._searched: dict[str, tuple[int, str]] = {}

    async def run(self) -> None:
        with self._hub.subscribe(VIRTUAL) as samples:
            async for sample in samples:
                if not is_virtual(sample.reading):
                    self.observe(sample.reading.meter_id)

    def observe(self, meter_id: str) -> None:
        """A meter has sent: publish the virtual meters that it is a part of and that have a new value."""
        for meter in self._meters():
            ids = [self._find(part) for part in meter.parts]
            if meter_id in ids and not self._is_taken(meter):
                self._publish(meter)

    def states(self) -> list[VirtualState]:
        now_s = boottime_s()
        return [self._state(meter, now_s) for meter in self._meters()]

    def _publish(self, meter: VirtualMeter) -> None:
        now_s = boottime_s()
        parts = [self._now(part, now_s) for part in meter.parts]
        if _why_not(meter, parts) is not None:
            return
        oldest = min(parts, key=lambda part: part.arrived_s)
        reading = virtual_reading(meter, [part.reading for part in parts if part.reading])
        if oldest.sample is None or reading is None:
            return
        interval_s = self._hub.usual_interval_s(oldest.sample.reading.meter_id)
        published_s = self._published_s.get(meter.id)
        if published_s is not None and (
            oldest.arrived_s <= published_s + _SAME_S
            or not belong_together((now_s - part.arrived_s for part in parts), interval_s)
        ):
            return
        self._published_s[meter.id] = oldest.arrived_s
        samples = [part.sample for part in parts if part.sample]
        sample = Sample(
            reading,
            _received_at(oldest),
            oldest.arrived_s,
            any(sample.simulated for sample in samples),
            VIRTUAL,
            epoch=sum(sample.epoch for sample in samples),
            is_dated=all(sample.is_dated for sample in samples),
            waited_s=max(max(part.age_s or 0.0 for part in parts) - (now_s - oldest.arrived_s), 0.0),
        )
        self._hub.publish(sample, meter.stale_after_s)

    def _now(self, part: MeterPart, now_s: float) -> _PartNow:
        meter_id = self._find(part)
        sample = self._hub.newest.get(meter_id or "")
        if meter_id is None or sample is None:
            return _PartNow(part, meter_id, None, None, None, 0.0, is_fresh=False)
        items = list(shown(sample, self._hub.age_s(meter_id, now_s) or 0.0))
        registers = tuple(item.register for item in items)
        # a meter may send its power in another list than its newest one
        power = next((item for item in items if item.register.obis == POWER), None)
        age_s, arrived_s = (power.age_s, power.arrived_s) if power else (None, 0.0)
        reading = Reading(meter_id, sample.reading.server_id, registers, None, sample.reading.protocol, 0)
        is_fresh = self._hub.is_fresh(meter_id, now_s)
        return _PartNow(part, meter_id, sample, reading, age_s, arrived_s, is_fresh)

    def _state(self, meter: VirtualMeter, now_s: float) -> VirtualState:
        parts = [self._now(part, now_s) for part in meter.parts]
        advice = _name_taken(meter) if self._is_taken(meter) else _why_not(meter, parts)
        # a part may send the next moment: what was published counts until it is stale
        is_current = self._hub.is_fresh(meter.id, now_s) and not self._is_taken(meter)
        if advice is None and not is_current and self._hub.age_s(meter.id, now_s) is not None:
            # what was published is as old as its oldest part was then; the silent part is just a bit younger
            advice = _stale(max(parts, key=lambda part: part.age_s or 0.0), meter)
        samples = [part.sample for part in parts if part.sample]
        words = advise("virtual_well") if advice is None or is_current else advice
        return VirtualState(
            id=meter.id,
            ok=is_current,
            simulated=any(sample.simulated for sample in samples),
            age_s=_rounded(self._hub.age_s(meter.id, now_s)),
            stale_after_s=meter.stale_after_s,
            parts=[
                VirtualPart(
                    part.part.name,
                    "plus" if part.part.sign > 0 else "minus",
                    part.meter_id,
                    part.is_fresh,
                    _rounded(part.age_s),
                )
                for part in parts
            ],
            sentence=str(words.en),
            advice=words,
            notices=[advise("part_is_coarse", {"meter": part.part.name}) for part in parts if _is_coarse(part.sample)],
        )

    def _find(self, part: MeterPart) -> str | None:
        """The meter of a part: that of the source with this name, or one in the hub with this number or server id."""
        if part.meter_id or part.port:
            return part.meter_id or None
        found = self._found.get(part.name)
        if found in self._hub.newest:
            return found
        known = len(self._hub.newest), next(reversed(self._hub.newest), "")
        if self._searched.get(part.name) == known:
            # no meter has come since
            return None
        self._searched[part.name] = known
        found = self._hub.find(part.name)
        if found is not None:
            self._found[part.name] = found
        return found

    def _is_taken(self, meter: VirtualMeter) -> bool:
        """Whether a real meter goes by the name of the virtual one."""
        sample = self._hub.newest.get(meter.id)
        return sample is not None and not is_virtual(sample.reading)


def _why_not(meter: VirtualMeter, parts: Sequence[_PartNow]) -> Advice | None:
    """Why a virtual meter has no current power; None if it has."""
    seen: dict[str, str] = {}
    for now in parts:
        name = now.part.name
        if now.meter_id is None and not now.part.port:
            return advise("part_unknown", {"meter": name})
        if now.meter_id and now.meter_id in seen:
            return advise("part_twice", {"name": seen[now.meter_id], "other": name, "meter": now.meter_id})
        seen[now.meter_id or ""] = name
        # a source that is configured may not have read its meter yet
        if now.sample is None or not now.is_fresh:
            return _stale(now, meter)
        if now.age_s is None:
            return advise("part_no_power", {"meter": name})
        if now.age_s > meter.stale_after_s:
            return _stale(now, meter)
    return None


def _stale(part: _PartNow, meter: VirtualMeter) -> Advice:
    return advise("part_stale", {"meter": part.part.name, "seconds": f"{meter.stale_after_s:g}"})


def _name_taken(meter: VirtualMeter) -> Advice:
    return advise("name_taken", {"name": meter.id})


def _is_coarse(sample: Sample | None) -> bool:
    return sample is not None and bool(sends_locked(sample) or counts_whole_kwh(sample.reading, sample.factor))


def _received_at(part: _PartNow) -> datetime:
    """When the power of a part arrived, in UTC."""
    assert part.sample is not None
    return part.sample.received_at - timedelta(seconds=max(part.sample.monotonic_s - part.arrived_s, 0.0))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
