"""Two years of history for the demo, exactly as the simulated meter would have recorded them, written in seconds.

The household is that of the live meter, so history continues into the present.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from iskra_server.history.model.records import (
    QUARTER_S,
    Exact,
    MeterInfo,
    PowerQuarter,
    QuarterReading,
    Record,
    quarter_of,
)
from iskra_server.history.store.store import Store
from iskra_server.meter.identity import meter_id
from iskra_server.meter.units import WATT, WATT_HOUR
from iskra_server.simulator.household import Household
from iskra_server.simulator.profiles import Profile, profile
from iskra_server.simulator.telegram import plate

YEARS = 2
_QUARTERS_AT_ONCE = 96 * 14
# power is sampled every three minutes; its mean is exact
_SAMPLES = range(0, QUARTER_S, 180)


def first_moment(now: datetime) -> datetime:
    """The beginning of the demo's history: New Year, so that it stays the same for a year."""
    return datetime(now.year - YEARS, 1, 1, tzinfo=UTC)


def fill(store: Store, profile_name: str, seed: int, now: datetime) -> Iterator[float]:
    """Write what is missing up to now; yields the share done, 0..1, after each step. Raises StoreError."""
    model = profile(profile_name)
    name = meter_id(plate(model, seed).server_id)
    begin = first_moment(now)
    first, end = quarter_of(begin.timestamp()), quarter_of(now.timestamp()) + 1
    start = max((quarter_of(last.at_s) for last in store.last_counters() if last.meter_id == name), default=first)
    household = Household(seed, model.pv_peak_w, int(begin.timestamp()))
    server_id = plate(model, seed).server_id.hex()
    for step in range(start, end, _QUARTERS_AT_ONCE):
        upto = min(step + _QUARTERS_AT_ONCE, end)
        info = MeterInfo(name, server_id, True, first * QUARTER_S, (upto - 1) * QUARTER_S)
        store.write([*_records(model, name, household, range(step, upto))], [info])
        yield (upto - start) / (end - start)


def _records(model: Profile, name: str, household: Household, quarters: range) -> Iterator[Record]:
    has_power = any(row.unit == WATT for row in model.rows)
    totals = [row for row in model.rows if row.unit == WATT_HOUR and row.obis[4] == 0]
    for quarter in quarters:
        state = household.at(quarter * QUARTER_S)
        for row in totals:
            value = Exact(row.amount(state) // row.divisor, row.scaler)
            yield QuarterReading(name, row.obis, quarter, value, "measured")
        # the quarter that ends here
        before = household.at((quarter - 1) * QUARTER_S) if quarter > quarters.start else state
        if before is not state and has_power:
            powers = [household.at(before.second + second).power_mw for second in _SAMPLES]
            net = (state.import_mws - state.export_mws) - (before.import_mws - before.export_mws)
            mean = net // QUARTER_S
            lowest, highest = min(*powers, mean), max(*powers, mean)
            yield PowerQuarter(name, quarter - 1, lowest, mean, highest, len(powers))
