"""Two years of history for the demo, exactly as the simulated meter would have recorded them, written in seconds.

The household is that of the live meter, so history continues into the present. The last two days also have the power of
telegrams, as a server keeps it: a curve of quarter-hours alone is crude.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec import Struct

from iskra_server.history.model.records import (
    QUARTER_S,
    Exact,
    MeterInfo,
    PowerQuarter,
    QuarterReading,
    Record,
    quarter_of,
)
from iskra_server.history.points.points import Point, block_of
from iskra_server.history.store.store import Store
from iskra_server.meter.normalise import MeterMemory, merge_parts, normalise
from iskra_server.meter.obis import EXPORT, Obis
from iskra_server.meter.reading import Reading, Register
from iskra_server.meter.signed_power import POWER
from iskra_server.meter.totals import SUM_OF_TARIFFS, TOTALS
from iskra_server.meter.units import WATT
from iskra_server.simulator import measured
from iskra_server.simulator.household import Household, State
from iskra_server.simulator.profiles import decoder, profile
from iskra_server.simulator.simulated_meter import Profile
from iskra_server.simulator.simulated_source import moment

YEARS = 2
_QUARTERS_AT_ONCE = 96 * 14
# power is sampled every three minutes; its mean is exact
_SAMPLES = range(0, QUARTER_S, 180)
# telegrams are kept of the last two days, one in ten seconds
_QUARTERS_OF_TELEGRAMS = 96 * 2
_TELEGRAMS = range(0, QUARTER_S, 10)


def first_moment(now: datetime) -> datetime:
    """The beginning of the demo's history: New Year, so that it stays the same for a year."""
    return datetime(now.year - YEARS, 1, 1, tzinfo=UTC)


class _Meter(Struct, frozen=True):
    """What a meter sends: identity, the scalers of its totals, whether they are sums of tariffs, and power."""

    meter_id: str
    server_id: bytes
    scalers: dict[Obis, int]
    is_sum: bool
    has_power: bool


def fill(
    store: Store,
    profile_name: str,
    seed: int,
    now: datetime,
    *,
    first: datetime | None = None,
    is_plant: bool = False,
) -> Iterator[float]:
    """Write what is missing up to now; yields the share done, 0..1, after each step. Raises StoreError.

    `is_plant`: of the meter at the roof of the household.
    """
    model = profile(profile_name)
    begin = first or first_moment(now)
    first_quarter, end = quarter_of(begin.timestamp()), quarter_of(now.timestamp()) + 1
    household = Household(seed, model.pv_peak_w, int(begin.timestamp()), is_plant=is_plant)
    meter = _meter(model, seed, household, first_quarter * QUARTER_S)
    name = meter.meter_id
    start = max(
        (quarter_of(last.at_s) for last in store.last_counters() if last.meter_id == name), default=first_quarter
    )
    for step in range(start, end, _QUARTERS_AT_ONCE):
        upto = min(step + _QUARTERS_AT_ONCE, end)
        info = MeterInfo(name, meter.server_id.hex(), True, first_quarter * QUARTER_S, (upto - 1) * QUARTER_S)
        store.write([*_records(meter, household, range(step, upto))], [info])
        recent = range(max(step, end - _QUARTERS_OF_TELEGRAMS), upto)
        if meter.has_power and recent:
            store.write([*_telegrams(meter, household, recent, int(now.timestamp()))], [info])
        yield (upto - start) / (end - start)


def _meter(model: Profile, seed: int, household: Household, second: int) -> _Meter:
    """Learnt from a telegram: the server sees a meter through it alone."""
    own: list[Reading] = []
    memory = MeterMemory()
    for result in merge_parts(decoder(model).feed(model.write(moment(model, seed, household, second)))):
        if isinstance(result, Reading) and not result.channel:
            own.append(normalise(result, memory)[0])
    registers = [register for reading in own for register in reading.numbers()]
    totals = [register for register in registers if register.obis in TOTALS]
    return _Meter(
        own[0].meter_id,
        own[0].server_id,
        {register.obis: register.scaler or 0 for register in totals},
        any(register.derived == SUM_OF_TARIFFS for register in totals),
        any(register.unit == WATT for register in registers),
    )


def _counter(meter: _Meter, obis: Obis, state: State) -> int:
    """A total in the meter's own steps."""
    divisor: int = 10 ** (meter.scalers[obis] + 1)
    if obis == EXPORT:
        return measured.exported(state) // divisor
    if meter.is_sum:
        # each tariff is cut off alone
        return measured.imported_by_day(state) // divisor + measured.imported_by_night(state) // divisor
    return measured.imported(state) // divisor


def _records(meter: _Meter, household: Household, quarters: range) -> Iterator[Record]:
    for quarter in quarters:
        state = household.at(quarter * QUARTER_S)
        for obis, scaler in meter.scalers.items():
            value = Exact(_counter(meter, obis, state), scaler)
            yield QuarterReading(meter.meter_id, obis, quarter, value, "measured")
        # the quarter that ends here
        before = household.at((quarter - 1) * QUARTER_S) if quarter > quarters.start else state
        if before is not state and meter.has_power:
            powers = [household.at(before.second + second).power_mw for second in _SAMPLES]
            net = (state.import_mws - state.export_mws) - (before.import_mws - before.export_mws)
            mean = net // QUARTER_S
            lowest, highest = min(*powers, mean), max(*powers, mean)
            yield PowerQuarter(meter.meter_id, quarter - 1, lowest, mean, highest, len(powers))


def _telegrams(meter: _Meter, household: Household, quarters: range, now_s: int) -> Iterator[Record]:
    """A block of points for each quarter."""
    for quarter in quarters:
        seconds = [second for offset in _TELEGRAMS if (second := quarter * QUARTER_S + offset) < now_s]
        points = [
            Point(second * 1000, (Register(POWER, household.at(second).power_mw // 1000, 0, WATT),))
            for second in seconds
        ]
        if points:
            yield block_of(meter.meter_id, points)
