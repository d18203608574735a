"""Carries a plan out: in steps that a running server hardly notices, and that can be repeated after any of them."""

from collections.abc import Callable, Sequence

from iskra_server.history.model.records import QUARTER_S, EpochStart, MeterInfo, QuarterReading
from iskra_server.history.store.store import Store
from iskra_server.history.transfer.plan import Plan

STEP = 5_000


def load(store: Store, plan: Plan, meter: MeterInfo, advance: Callable[[int], None]) -> None:
    """Write the new records of a plan; `advance` hears how many each step wrote. Raises StoreError."""
    # an epoch before the boundaries that it explains
    records = sorted(plan.records, key=lambda record: isinstance(record, QuarterReading))
    for first in range(0, len(records), STEP):
        some = records[first : first + STEP]
        store.write(some, [_seen(meter, some)])
        advance(len(some))


def _seen(meter: MeterInfo, records: Sequence[QuarterReading | EpochStart]) -> MeterInfo:
    """The meter as it was seen by these records."""
    times = [record.at_s if isinstance(record, EpochStart) else record.quarter * QUARTER_S for record in records]
    return MeterInfo(meter.meter_id, meter.server_id, meter.simulated, min(times), max(times))
