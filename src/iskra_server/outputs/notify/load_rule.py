r"""The rule about high load: power from the grid above a limit for some minutes, and its end. Pure.

W      ___/~~~~~~~~~~~\___/~~\_____          A dip below 95 % of the limit ends the load: before people were told,
limit ---|-----------------------            at once; then only if it lasts for as many minutes (at most five).
         |-- minutes --|told      |-- minutes --|told
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.history.model.power_ledger import HOLDS_US
from iskra_server.meter.obis import IMPORT
from iskra_server.meter.reading import Sample
from iskra_server.meter.signed_power import POWER
from iskra_server.outputs.notify.event_texts import LoadFigures, Texts, load_end_text, load_text
from iskra_server.outputs.notify.memory import Memory
from iskra_server.outputs.notify.messages import MeterMessage

# share of the limit below which the load is over
_ENDS_BELOW = Decimal("0.95")
_MAX_END_S = 300.0
# a value holds for so long; after a longer silence nobody knows what the power was
_HOLDS_S = HOLDS_US / 1e6


class _Load(Struct):
    """A load that lasts: where it began, its peak, and where it fell below the limit."""

    since: Sample
    peak_w: Decimal
    last: Sample
    low: Sample | None = None


class LoadRule:
    """Of every electricity meter with power."""

    def __init__(self, memory: Memory, limit_w: int, for_s: float, repeat_s: float, tz: ZoneInfo) -> None:
        self._memory = memory
        self._limit_w, self._for_s, self._repeat_s = Decimal(limit_w), for_s, repeat_s
        self._end_s = min(for_s, _MAX_END_S)
        self._tz = tz
        self._loads: dict[str, _Load] = {}

    def observe(self, sample: Sample, name: str) -> Iterator[MeterMessage]:
        """The messages that are due with this telegram; `name` is that of its meter."""
        meter = sample.reading.meter_id
        power = sample.reading.get(POWER)
        if power is None or power.value is None or not sample.is_dated:
            return
        power_w, load, key = power.value, self._loads.get(meter), f"load {meter}"
        if load and not self._memory.is_on(key):
            has_paused = sample.monotonic_s - load.last.monotonic_s > _HOLDS_S
            if has_paused or power_w < self._limit_w * _ENDS_BELOW:
                del self._loads[meter]
                load = None
        if load is None and (power_w > self._limit_w or self._memory.is_on(key)):
            # a message was sent before a restart: what was before is not known
            load = self._loads[meter] = _Load(sample, power_w, sample)
        if load is None:
            return
        load.last, load.peak_w = sample, max(load.peak_w, power_w)
        if not self._memory.is_on(key):
            yield from self._begin(key, name, load, power_w)
        elif power_w >= self._limit_w * _ENDS_BELOW:
            load.low = None
        else:
            load.low = load.low or sample
            if sample.monotonic_s - load.low.monotonic_s >= self._end_s:
                yield from self._end(key, name, load, self._loads.pop(meter).low or sample)

    def _begin(self, key: str, name: str, load: _Load, power_w: Decimal) -> Iterator[MeterMessage]:
        now = load.last.received_at.astimezone(self._tz)
        since = load.since.received_at.astimezone(self._tz)
        if load.last.monotonic_s - load.since.monotonic_s < self._for_s:
            return
        if self._memory.begin(key, now.timestamp(), since.timestamp(), self._repeat_s):
            texts = load_text(name, LoadFigures(self._limit_w, since, now, power_w, load.peak_w))
            values = {"limit_w": self._limit_w, "power_w": power_w, "peak_w": load.peak_w}
            yield _message(load.last, "begin", texts, name, values)

    def _end(self, key: str, name: str, load: _Load, low: Sample) -> Iterator[MeterMessage]:
        told = self._memory.end(key)
        if told is None:
            return
        since = datetime.fromtimestamp(told.since_s, self._tz)
        until = low.received_at.astimezone(self._tz)
        is_whole = abs(load.since.received_at.timestamp() - told.since_s) < 1
        energy_wh = _energy_wh(load.since, low) if is_whole else None
        power_w = Decimal(0)
        texts = load_end_text(name, LoadFigures(self._limit_w, since, until, power_w, load.peak_w, energy_wh))
        values = {"limit_w": self._limit_w, "peak_w": load.peak_w}
        if energy_wh is not None:
            values["import_wh"] = energy_wh
        yield _message(load.last, "end", texts, name, values)


def _energy_wh(before: Sample, after: Sample) -> Decimal | None:
    """What the counter counted in between; None where it has no digits for that, or was restarted."""
    first, last = before.reading.get(IMPORT), after.reading.get(IMPORT)
    if first is None or last is None or first.value is None or last.value is None or before.epoch != after.epoch:
        return None
    is_fine = max(first.scaler or 0, last.scaler or 0) <= 2
    return last.value - first.value if is_fine and last.value >= first.value else None


def _message(
    sample: Sample, phase: Literal["begin", "end"], texts: Texts, name: str, values: dict[str, Decimal]
) -> MeterMessage:
    meter = sample.reading.meter_id
    return MeterMessage(
        "load",
        phase,
        sample.received_at,
        texts,
        meter=meter,
        meter_name=name if name != meter else "",
        simulated=sample.simulated,
        values=values,
    )
