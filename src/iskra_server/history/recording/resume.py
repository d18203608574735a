"""Where history stopped: read from the database at a start, so that ledger and guard continue from there."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from math import inf
from typing import NamedTuple

from iskra_server.history.model.records import Exact, LastCounter
from iskra_server.history.points.points import METER_TIMES, unpack
from iskra_server.history.store.reads import Reads
from iskra_server.meter.counter_rules import is_energy_counter
from iskra_server.meter.reading import Reading, Register, Sample
from iskra_server.meter.units import WATT_HOUR

_MS = 1000


class MeterClock(NamedTuple):
    """A meter's own clock in a telegram: `kind` of time, its `seconds`, and the Unix time of the telegram."""

    kind: str
    seconds: int
    at_s: float


def last_values(store: Reads, until_s: float = inf) -> list[LastCounter]:
    """The last value of every counter: its quarter reading, and a newer one from the last telegram.

    Ignores what a clock that ran ahead has recorded after `until_s`. Raises StoreError.
    """
    counters = store.last_counters(until_s)
    epochs = {(last.meter_id, last.obis): last.epoch for last in counters}
    for block in store.last_points(until_s):
        point = unpack(block.data)[-1]
        counters += (
            LastCounter(
                block.meter_id,
                register.obis,
                Exact(int(register.raw), register.scaler or 0),
                point.at_ms // _MS,
                epochs.get((block.meter_id, register.obis), 0),
            )
            for register in point.registers
            if is_energy_counter(register)
        )
    return counters


def meter_clocks(store: Reads, until_s: float) -> dict[str, MeterClock]:
    """Each meter's own clock in its last telegram. Raises StoreError."""
    clocks = {}
    for block in store.last_points(until_s):
        point = unpack(block.data)[-1]
        for register in point.registers:
            for kind, code in METER_TIMES.items():
                if register.obis == code and not isinstance(register.raw, bytes):
                    clocks[block.meter_id] = MeterClock(kind, register.raw, point.at_ms / _MS)
    return clocks


def as_samples(counters: Iterable[LastCounter]) -> Iterator[Sample]:
    """One sample per meter with the last value of its counters, for the guard."""
    by_meter = sorted(counters, key=lambda last: last.meter_id)
    for meter_id, group in groupby(by_meter, key=lambda last: last.meter_id):
        newest = list({last.obis: last for last in sorted(group, key=lambda last: last.at_s)}.values())
        registers = tuple(Register(last.obis, last.value.raw, last.value.scaler, WATT_HOUR) for last in newest)
        # the oldest: of no counter it was later
        at = datetime.fromtimestamp(min(last.at_s for last in newest), UTC)
        epoch = max(last.epoch for last in newest)
        reading = Reading(meter_id, b"", registers, None, "history", 0)
        yield Sample(reading, at, 0.0, simulated=False, source="history", epoch=epoch)
