"""One register of a virtual meter as if it were a counter: what those of its parts showed, added and subtracted.

    Z1       ---|----|----|----|          A reading is there where every part has one at the same quarter; a quarter
    Z2       ---|----|         |          without one of them is absent, and of such a gap only the sum is known.
    Z1 - Z2  ---|----|~~~~~~~~~|

Where a part restarted or was replaced, an epoch begins: between the readings around that moment nothing is counted, as
the part has not measured all of it. The counter of a difference may go back.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from operator import itemgetter

from msgspec import Struct

from iskra_server.history.model.energy import continuous_total
from iskra_server.history.model.periods import QUARTERS_OF_DAY
from iskra_server.history.model.quarter_energy import ReadingColumns
from iskra_server.history.model.records import QUARTER_S, EpochStart, Exact, Quality, QuarterReading, quarter_from
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.meter.obis import Obis

# in quarters: where parts have readings at different quarters, so many are compared at once
_COMPARED_AT_ONCE = QUARTERS_OF_DAY
_MEASURED: Quality = "measured"


class VirtualCounter(CounterHistory):
    """`parts` are the signs and counters of the parts, at least one. Values are as if no part had ever restarted."""

    def __init__(self, meter_id: str, obis: Obis, parts: Sequence[tuple[int, CounterHistory]]) -> None:
        self._meter_id = meter_id
        self._obis = obis
        self._signed = parts
        self._longest = None
        self.epochs = self._epoch_starts()

    def look_up(self, quarters: Sequence[int]) -> Mapping[int, QuarterReading]:
        readings = [counter.look_up(quarters) for _, counter in self._signed]
        return {quarter: reading for quarter in quarters if (reading := self._reading(quarter, readings))}

    def nearest_before(self, quarter: int) -> QuarterReading | None:
        while True:
            newest = [counter.nearest_before(quarter) for _, counter in self._signed]
            if not all(newest):
                return None
            last = min(reading.quarter for reading in newest if reading)
            found = list(self.between(last - _COMPARED_AT_ONCE, last + 1))
            if found:
                return found[-1]
            quarter = last - _COMPARED_AT_ONCE

    def nearest_after(self, quarter: int) -> QuarterReading | None:
        while True:
            oldest = [counter.nearest_after(quarter) for _, counter in self._signed]
            if not all(oldest):
                return None
            first = max(reading.quarter for reading in oldest if reading)
            found = next(self.between(first, first + _COMPARED_AT_ONCE), None)
            if found is not None:
                return found
            quarter = first + _COMPARED_AT_ONCE - 1

    def between(self, first: int, end: int) -> Iterator[QuarterReading]:
        parts = [{reading.quarter: reading for reading in counter.between(first, end)} for _, counter in self._signed]
        for quarter in sorted(set.intersection(*map(set, parts))):
            if reading := self._reading(quarter, parts):
                yield reading

    def interpolated(self, first: int, end: int) -> list[int]:
        """Those of any part."""
        return sorted(set[int]().union(*(counter.interpolated(first, end) for _, counter in self._signed)))

    def columns(self, first: int, end: int) -> Iterator[ReadingColumns]:
        parts = [_Continuous.of(counter, first, end) for _, counter in self._signed]
        scaler = min((part.scaler for part in parts), default=0)
        values = [part.on_scale(scaler) for part in parts]
        quarters = sorted(set.intersection(*map(set, values)))
        signs = [sign for sign, _ in self._signed]
        raws = [sum(sign * part[quarter] for sign, part in zip(signs, values, strict=True)) for quarter in quarters]
        cuts = sorted({0, len(quarters), *(_place(quarters, start) for start in self.epochs)})
        for begin, until in pairwise(cuts):
            epoch = sum(part.epoch_at(quarters[begin]) for part in parts)
            yield ReadingColumns(self._meter_id, self._obis, epoch, scaler, quarters[begin:until], raws[begin:until])

    def _epoch_starts(self) -> list[EpochStart]:
        """One between two neighbouring readings around which any part has another epoch."""
        starts: dict[int, EpochStart] = {}
        for start in sorted(
            (start for _, counter in self._signed for start in counter.epochs), key=lambda one: one.at_s
        ):
            quarter = quarter_from(start.at_s)
            before, after = self.nearest_before(quarter), self.nearest_after(quarter - 1)
            if before and after and before.epoch < after.epoch:
                at_s = min(start.at_s, after.quarter * QUARTER_S)
                starts.setdefault(
                    after.epoch,
                    EpochStart(self._meter_id, self._obis, after.epoch, at_s, before.value, after.value),
                )
        return list(starts.values())

    def _reading(self, quarter: int, parts: Sequence[Mapping[int, QuarterReading]]) -> QuarterReading | None:
        """None where a part has none."""
        total, epoch, quality = Decimal(0), 0, _MEASURED
        for (sign, counter), readings in zip(self._signed, parts, strict=True):
            reading = readings.get(quarter)
            if reading is None:
                return None
            total += sign * continuous_total(reading, counter.epochs)
            epoch += reading.epoch
            quality = quality if reading.quality == _MEASURED else reading.quality
        return QuarterReading(self._meter_id, self._obis, quarter, _exact(total), quality, epoch)


class _Continuous(Struct, frozen=True):
    """The readings of a part as if it had never restarted: quarter -> raw value, by scaler; and where epochs begin."""

    scaler: int
    values: list[tuple[int, dict[int, int]]]
    epochs: list[tuple[int, int]]

    @classmethod
    def of(cls, counter: CounterHistory, first: int, end: int) -> "_Continuous":
        values: list[tuple[int, dict[int, int]]] = []
        epochs: list[tuple[int, int]] = []
        for columns in counter.columns(first, end):
            starts = [start for start in counter.epochs if start.epoch <= columns.epoch and start.before is not None]
            around = [value for start in starts for value in (start.before, start.after) if value]
            scaler = min([columns.scaler, *(value.scaler for value in around)])
            lost = sum(_raw(start.before, scaler) - _raw(start.after, scaler) for start in starts)
            factor = 10 ** (columns.scaler - scaler)
            raws = (raw * factor + lost for raw in columns.raws)
            values.append((scaler, dict(zip(columns.quarters, raws, strict=True))))
            epochs.append((columns.quarters[0], columns.epoch))
        return cls(min((scaler for scaler, _ in values), default=0), values, sorted(epochs))

    def on_scale(self, scaler: int) -> dict[int, int]:
        merged: dict[int, int] = {}
        for own, readings in self.values:
            factor = 10 ** (own - scaler)
            merged |= {quarter: raw * factor for quarter, raw in readings.items()} if factor > 1 else readings
        return merged

    def epoch_at(self, quarter: int) -> int:
        """Of a quarter with a reading."""
        return max(((first, epoch) for first, epoch in self.epochs if first <= quarter), key=itemgetter(0))[1]


def _place(quarters: Sequence[int], start: EpochStart) -> int:
    """The place of the first reading of an epoch among these quarters."""
    return bisect_left(quarters, quarter_from(start.at_s))


def _raw(value: Exact | None, scaler: int) -> int:
    return value.raw * int(10 ** (value.scaler - scaler)) if value else 0


def _exact(value: Decimal) -> Exact:
    scaler = int(value.as_tuple().exponent)
    return Exact(int(value.scaleb(-scaler)), scaler)
