"""GET /api/v1/meters/{id}/quarters: energy of each quarter of an hour as two columns, for pictures of a whole year.

A quarter of which one edge was not measured has no number; nothing is spread over a gap.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from iskra_server.base.json_values import Instant, local, number
from iskra_server.base.json_values import Number as Exact
from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.records import QUARTER_S, QuarterReading, quarter_of
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.web.api.recorded import RecordedMeter
from iskra_server.web.http.question import BadRequest, Query

NAMES = ("from", "to", "tz")
# a year, and the week before it
MAX_DAYS = 400

Column = list[Annotated[Exact | None, Meta(extra_json_schema={"type": ["number", "null"]})]]


class Quarters(Struct, frozen=True):
    """The n-th number is that of the quarter that begins n x 900 s after `begin`; null: it was not measured."""

    meter: str
    simulated: bool
    unit: Literal["Wh"]
    tz: str
    begin: Instant
    end: Instant
    import_wh: Column
    export_wh: Column | UnsetType = UNSET


def quarters_of(meter: RecordedMeter, question: Query) -> Quarters:
    """Misuse, or StoreError for a database that does not answer."""
    begin, end = question.period()
    if end - begin > timedelta(days=MAX_DAYS):
        raise BadRequest(f"the period is longer than {MAX_DAYS} days; ask for a shorter one")
    first, last = quarter_of(begin.timestamp()), quarter_of(end.timestamp())
    known = meter.series()
    return Quarters(
        meter=meter.id,
        simulated=meter.simulated,
        unit="Wh",
        tz=question.tz.key,
        begin=local(first * QUARTER_S, question.tz),
        end=local(last * QUARTER_S, question.tz),
        import_wh=_column(meter, IMPORT, first, last),
        export_wh=_column(meter, EXPORT, first, last) if EXPORT in known else UNSET,
    )


def _column(meter: RecordedMeter, obis: Obis, first: int, last: int) -> Column:
    column: Column = [None] * (last - first)
    counter = meter.counter(obis)
    for quarter, energy in _measured(counter, counter.between(first, last + 1)):
        column[quarter - first] = energy
    return column


def _measured(counter: CounterHistory, quarter_readings: Iterable[QuarterReading]) -> Iterator[tuple[int, Exact]]:
    """The quarters of which both edges are known."""
    for before, after in pairwise(quarter_readings):
        if after.quarter == before.quarter + 1:
            yield before.quarter, _energy(before, after, counter)


def _energy(before: QuarterReading, after: QuarterReading, counter: CounterHistory) -> Exact:
    """As `between` has it, in a third of the time where nothing has changed in between: there are 35,040 in a year."""
    scaler = before.value.scaler
    if before.epoch == after.epoch and scaler == after.value.scaler <= 0:
        raw = after.value.raw - before.value.raw
        whole, places = divmod(abs(raw), 10**-scaler)
        text = b"%d.%0*d" % (whole, -scaler, places) if scaler else b"%d" % whole
        return Raw(b"-" + text if raw < 0 else text)
    return number(energy_between(before, after, counter.epochs))
