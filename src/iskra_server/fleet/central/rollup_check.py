"""Compares roll-ups with the quarters, marks those that differ, and deletes all."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import delete, func, select, update

from iskra_server.fleet.central.counter_energies import RegisterEnergy, counter_energies
from iskra_server.fleet.central.rollup_refresh import row_of
from iskra_server.fleet.central.rollups import Roll, read_roll
from iskra_server.history.model.records import Exact, quarter_of
from iskra_server.history.store.batches import batches
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.rollup_marks import QuarterSpan, mark_meters, plain_numbers, span_of
from iskra_server.history.store.schema import ALWAYS, meter, rollup, rollup_due, rollup_part, rollup_state, series
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis

# meters of one comparison
_BATCH = 500


class RollupDifference(Struct, frozen=True):
    """A roll-up that says something else than the quarters; None: there is none."""

    meter: int
    meter_id: str
    obis: Obis
    span: QuarterSpan
    stored: RegisterEnergy | None
    computed: RegisterEnergy | None


def rolled_up_spans(roll: Roll, since: int = 0) -> list[QuarterSpan]:
    """Each day and month with a roll-up that ends after a quarter."""
    spans: list[QuarterSpan] = []
    for length in ("day", "month"):
        at = max(roll.since, since)
        while at < roll.open:
            span = span_of(at, length, roll.zone)
            if roll.since <= span.begin and span.end <= roll.open:
                spans.append(span)
            at = span.end
    return spans


def differences(store: Store, roll: Roll, span: QuarterSpan, only: str | None = None) -> Iterator[RollupDifference]:
    """Of one day or month; of one meter (by its name), or of all. Those with a mark are not compared."""
    statement = select(meter.c.id, meter.c.meter_id)
    rows = store.query(statement if only is None else statement.where(meter.c.meter_id == only))
    names = {row.id: row.meter_id for row in rows}
    numbers = sorted(names)
    for batch in batches(numbers, _BATCH):
        yield from _differences(store, roll, span, batch, names)


def _differences(
    store: Store, roll: Roll, span: QuarterSpan, numbers: Sequence[int], names: dict[int, str]
) -> Iterator[RollupDifference]:
    with store.snapshot() as reads:
        marks = select(rollup_due.c.meter).where(
            rollup_due.c.end_quarter == span.end, rollup_due.c.begin_quarter == span.begin
        )
        due = {row.meter for row in reads.query(marks.where(rollup_due.c.meter.in_(plain_numbers(numbers))))}
        compared = set(numbers) - due
        stored = {each.series: each for each in _stored(reads, roll, span, sorted(compared))}
        # of a chain, each meter is compared when it is its turn
        computed = {each.series: each for each in counter_energies(reads, compared, span) if each.meter in compared}
    for key in sorted({*stored, *computed}):
        one, other = stored.get(key), computed.get(key)
        if one != other and (known := one or other):
            yield RollupDifference(known.meter, names[known.meter], known.obis, span, one, other)


def _stored(reads: Reads, roll: Roll, span: QuarterSpan, numbers: Sequence[int]) -> Iterator[RegisterEnergy]:
    row, place = row_of(span, roll.zone)
    energy, estimated = rollup.c[f"energy_{place}"], rollup.c[f"estimated_{place}"]
    cells: list[Any] = [series.c.meter, series.c.id, series.c.obis, rollup.c.scaler, energy, estimated]
    of_meters = series.c.meter.in_(plain_numbers(numbers))
    is_row = rollup.c.begin_quarter == row.begin, rollup.c.end_quarter == row.end, energy.is_not(None)
    statement = select(*cells).join(series, series.c.id == rollup.c.series).where(of_meters, *is_row)
    for number, series_id, obis, scaler, raw, guessed in map(list, reads.query(statement)):
        known = span.end - span.begin, guessed or 0, True, True
        yield RegisterEnergy(number, series_id, Obis.parse(obis), span, Exact(raw, scaler), *known)
    is_part = rollup_part.c.begin_quarter == span.begin, rollup_part.c.end_quarter == span.end
    parts = select(rollup_part, series.c.meter, series.c.obis).join(series, series.c.id == rollup_part.c.series)
    for part in reads.query(parts.where(of_meters, *is_part)):
        known = part.quarters, part.estimated, part.begin_known, part.end_known
        yield RegisterEnergy(part.meter, part.series, Obis.parse(part.obis), span, Exact(part.raw, part.scaler), *known)


def mark_differences(store: Store, found: Sequence[RollupDifference]) -> None:
    """From now on sums take their quarters, until a collector has computed them again."""
    with store.transaction() as connection:
        for difference in found:
            # inside: its edges belong to the neighbours too
            inside = difference.span.begin + 1, difference.span.end - 1
            mark_meters(connection, store.insert, [difference.meter], *inside)


def forget_roll_ups(store: Store, moment_s: float) -> None:
    """After quarters before a moment were dropped: delete what rested on them; the rest is computed again."""
    with store.transaction() as connection:
        roll = read_roll(store.reads(connection))
        if roll is None or (first := quarter_of(moment_s)) <= roll.since:
            return
        since = min(span_of(first, "day", roll.zone).end, roll.open)
        connection.execute(update(rollup_state).values(since_quarter=since))
        connection.execute(delete(rollup_due).where(rollup_due.c.begin_quarter < since))
    _delete(store, since)


def delete_roll_ups(store: Store) -> None:
    """Delete all roll-ups; the next step of a collector begins with today, in its time zone."""
    with store.transaction() as connection:
        # waits for the writers that share it
        connection.execute(delete(rollup_state))
        connection.execute(delete(rollup_due))
    _delete(store, ALWAYS)


def _delete(store: Store, before: int) -> None:
    """The rows of whole periods before a quarter, those of one beginning at a time."""
    for table in (rollup, rollup_part):
        first: int | None = 0
        while first is not None:
            with store.transaction() as connection:
                is_old = table.c.end_quarter <= before
                first = connection.scalar(select(func.min(table.c.begin_quarter)).where(is_old))
                connection.execute(delete(table).where(is_old, table.c.begin_quarter == first))
