"""GET /api/v1/meters/{id}/quarters: the energy of each quarter-hour as two columns, for charts of a whole year.

A quarter has no number if the reading at one of its edges is missing; energy is never spread over a gap.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from iskra_server.base.json_values import Instant, Number, NumberColumn, number
from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.periods import quarter_instant
from iskra_server.history.model.records import QuarterReading
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.web.api.history import history_endpoint
from iskra_server.web.http.endpoint import TIME_ZONE, Result, period_parameters
from iskra_server.web.http.query import Query

# a year and the week before it fit
MAX_DAYS = 400


class Quarters(Struct, frozen=True):
    """Element n is the energy of the quarter that begins n x 900 s after `begin`; null if it was not measured."""

    meter: str
    simulated: bool
    unit: Literal["Wh"]
    tz: str
    begin: Instant
    end: Instant
    import_wh: NumberColumn
    export_wh: NumberColumn | UnsetType = UNSET


def quarters_of(meter: RecordedMeter, query: Query) -> Quarters:
    """Raises BadRequest, and StoreError if the database does not respond."""
    first, last = query.quarters(max_days=MAX_DAYS)
    return Quarters(
        meter=meter.id,
        simulated=meter.simulated,
        unit="Wh",
        tz=query.tz.key,
        begin=quarter_instant(first, query.tz),
        end=quarter_instant(last, query.tz),
        import_wh=_column(meter, IMPORT, first, last),
        export_wh=_column(meter, EXPORT, first, last) if EXPORT in meter.series() else UNSET,
    )


def _column(meter: RecordedMeter, obis: Obis, first: int, last: int) -> NumberColumn:
    column: NumberColumn = [None] * (last - first)
    counter = meter.counter(obis)
    for quarter, energy in _measured(counter, counter.between(first, last + 1)):
        column[quarter - first] = energy
    return column


def _measured(counter: CounterHistory, quarter_readings: Iterable[QuarterReading]) -> Iterator[tuple[int, Number]]:
    """The quarters with readings at both edges."""
    for before, after in pairwise(quarter_readings):
        if after.quarter == before.quarter + 1:
            yield before.quarter, _energy(before, after, counter)


def _energy(before: QuarterReading, after: QuarterReading, counter: CounterHistory) -> Number:
    """Equal to `energy_between`, in a third of the time if epoch and scale are the same: a year has 35,040 quarters."""
    scaler = before.value.scaler
    if before.epoch == after.epoch and scaler == after.value.scaler <= 0:
        raw = after.value.raw - before.value.raw
        whole, places = divmod(abs(raw), 10**-scaler)
        text = b"%d.%0*d" % (whole, -scaler, places) if scaler else b"%d" % whole
        return Raw(b"-" + text if raw < 0 else text)
    return number(energy_between(before, after, counter.epochs))


ENDPOINT = history_endpoint(
    "quarters",
    "Energy from and to the grid in 15-minute steps, as columns, for charts of a year. Exact, in Wh.",
    Result("the columns; null means that a quarter-hour was not measured", Quarters),
    lambda _: quarters_of,
    (*period_parameters(f"{MAX_DAYS} days"), TIME_ZONE),
)
