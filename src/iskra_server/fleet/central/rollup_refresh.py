"""Computes roll-ups of days and months that are over, in steps between the batches of collectors, which share the work.

    rollup_state   since ----------------------- open           A mark is one meter's day or month. The first step
    days           | no roll-ups | roll-ups, marks | today      begins with today; when no mark of a past day is left,
                   <-- a day earlier, while idle                 one more earlier day of all meters is marked.

A mark is locked while its roll-up is computed and removed in the same transaction: a killed collector leaves it, and a
late quarter sets it again (history/store/rollup_marks.py).
"""

import logging
import time
from collections import defaultdict
from collections.abc import Collection
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, delete, func, insert, literal, select, text, true, update

from iskra_server.fleet.central.counter_energies import RegisterEnergy, counter_energies
from iskra_server.history.model.periods import quarter_date
from iskra_server.history.model.records import INT64_MAX, quarter_of
from iskra_server.history.store.batches import batches
from iskra_server.history.store.bulk import insert_all
from iskra_server.history.store.mapping import RowValues
from iskra_server.history.store.rollup_marks import QuarterSpan, mark_meters, replacements, span_of
from iskra_server.history.store.schema import (
    meter,
    quarter_reading,
    rollup,
    rollup_due,
    rollup_part,
    rollup_state,
    series,
)
from iskra_server.history.store.store import Store

log = logging.getLogger(__name__)

# readers have sent a day by then; what comes later marks it again
SETTLED_S = 1800
# of one step, which a batch may have to wait for
_STEP_S = 1.0
# marks of one step, and quarter readings of one statement
_MARKS, _READINGS = 500, 100_000
# some quarters, of about a day
_BLOCK = 100


def refresh(store: Store, now_s: float, zone: ZoneInfo) -> bool:
    """One step of about a second; says whether there is more to do now. Raises StoreError."""
    if not _declare_over(store, now_s, zone):
        return False
    return _compute_due(store) or _go_back_a_day(store, zone)


def _declare_over(store: Store, now_s: float, zone: ZoneInfo) -> bool:
    """Create the state, or move it to the beginning of today; False where it has another zone."""
    today = span_of(quarter_of(now_s - SETTLED_S), "day", zone).begin
    with store.transaction(write=False) as connection:
        state = connection.execute(select(rollup_state)).first()
    if state and state.zone != zone.key:
        log.error(
            "No roll-ups are computed: the database has those of days in %s, and this collector is set to %s. Set "
            "server.time_zone to the same, or compute all anew: iskra-server fleet verify --rebuild",
            *(state.zone, zone.key),
        )
        return False
    if state is None:
        _begin(store, today, zone)
    elif state.open_quarter < today:
        with store.transaction() as connection:
            later = rollup_state.c.open_quarter < today
            connection.execute(update(rollup_state).where(later).values(open_quarter=today))
    return True


def _begin(store: Store, today: int, zone: ZoneInfo) -> None:
    """From today on: what is there of today is marked."""
    with store.transaction() as connection:
        if connection.dialect.name == "postgresql":
            # waits for the writers that found no state, and keeps others from looking until there is one
            connection.execute(text("LOCK TABLE rollup_state IN EXCLUSIVE MODE"))
        if connection.execute(select(rollup_state.c.zone)).first():
            return
        row = {"zone": zone.key, "since_quarter": today, "open_quarter": today}
        connection.execute(insert(rollup_state).values(row))
        at = quarter_reading.c.quarter
        block = func.min(at).label("first"), func.max(at).label("last")
        rows = connection.execute(
            select(series.c.meter, *block)
            .join(series, series.c.id == quarter_reading.c.series)
            .where(at >= today)
            .group_by(series.c.meter, at // _BLOCK)
        )
        by_block: dict[tuple[int, int], set[int]] = defaultdict(set)
        for number, first, last in map(list, rows):
            by_block[first, last].add(number)
        for (first, last), numbers in by_block.items():
            mark_meters(connection, store.insert, numbers, first, last)


def _compute_due(store: Store) -> bool:
    """Says whether there were marks."""
    end_s = time.monotonic() + _STEP_S
    with store.transaction() as connection:
        is_over = rollup_due.c.end_quarter <= select(rollup_state.c.open_quarter).scalar_subquery()
        # a month after its days
        order = rollup_due.c.end_quarter, rollup_due.c.begin_quarter.desc(), rollup_due.c.meter
        marks = select(rollup_due).where(is_over).order_by(*order).limit(_MARKS).with_for_update(skip_locked=True)
        by_span: dict[QuarterSpan, list[int]] = defaultdict(list)
        for row in connection.execute(marks):
            by_span[QuarterSpan(row.begin_quarter, row.end_quarter)].append(row.meter)
        for span, meters in by_span.items():
            for part in batches(meters, max(_READINGS // (span.end - span.begin), 1)):
                if time.monotonic() > end_s:
                    return True
                compute(store, connection, part, span)
                is_same = and_(rollup_due.c.end_quarter == span.end, rollup_due.c.begin_quarter == span.begin)
                connection.execute(delete(rollup_due).where(is_same, rollup_due.c.meter.in_(part)))
    return bool(by_span)


def _go_back_a_day(store: Store, zone: ZoneInfo) -> bool:
    """Mark the day before the first one for all meters; False where no meter was there yet."""
    with store.transaction() as connection:
        # locked: the writers' marks are of days since then
        since = connection.execute(select(rollup_state.c.since_quarter).with_for_update()).scalar_one()
        first_s = connection.scalar(select(func.min(meter.c.first_s)))
        # from the beginning of a month on, so that it has a roll-up too
        if first_s is None or since <= span_of(quarter_of(first_s), "month", zone).begin:
            return False
        day = span_of(since - 1, "day", zone)
        connection.execute(update(rollup_state).values(since_quarter=day.begin))
        month = span_of(since - 1, "month", zone)
        for span in (day, month) if month.begin == day.begin else (day,):
            # SQLite cannot tell ON CONFLICT from the condition of a join without WHERE
            numbers = select(literal(span.end), literal(span.begin), meter.c.id).where(true())
            marks = store.insert(rollup_due).from_select(["end_quarter", "begin_quarter", "meter"], numbers)
            connection.execute(marks.on_conflict_do_nothing())
    return True


def compute(store: Store, connection: Connection, meters: Collection[int], span: QuarterSpan) -> None:
    """Write the roll-ups of a period of these meters and of the chains in which they are."""
    reads = store.reads(connection)
    energies = list(counter_energies(reads, meters, span))
    every = set(meters).union(*replacements(reads.query, meters))
    numbers = sorted(connection.scalars(select(series.c.id).where(series.c.meter.in_(every))))
    row, place = row_of(span, ZoneInfo(connection.scalars(select(rollup_state.c.zone)).one()))
    energy, estimated = rollup.c[f"energy_{place}"], rollup.c[f"estimated_{place}"]
    key: RowValues = {"begin_quarter": row.begin, "end_quarter": row.end}
    is_row = and_(rollup.c.begin_quarter == row.begin, rollup.c.end_quarter == row.end)
    cleared = update(rollup).where(is_row, rollup.c.series.in_(numbers), energy.is_not(None))
    connection.execute(cleared.values({energy.name: None, estimated.name: None}))
    is_part = and_(rollup_part.c.begin_quarter == span.begin, rollup_part.c.end_quarter == span.end)
    connection.execute(delete(rollup_part).where(is_part, rollup_part.c.series.in_(numbers)))
    cells: list[RowValues] = []
    parts: list[RowValues] = []
    for each in sorted(energies, key=lambda each: each.series):
        if abs(each.value.raw) > INT64_MAX:
            # nonsense on both sides of a restart: no column holds it
            continue
        value: RowValues = {"series": each.series, "scaler": each.value.scaler}
        if each.is_whole:
            cells.append(key | value | {energy.name: each.value.raw, estimated.name: each.estimated or None})
        else:
            parts.append(_part_row(each))
    if cells:
        upsert = store.insert(rollup)
        new = {column.name: upsert.excluded[column.name] for column in (energy, estimated)}
        key_columns = [column.name for column in rollup.primary_key]
        insert_all(connection, upsert.on_conflict_do_update(index_elements=key_columns, set_=new), cells)
    if parts:
        insert_all(connection, insert(rollup_part), parts)


def _part_row(energy: RegisterEnergy) -> RowValues:
    return {
        "begin_quarter": energy.span.begin,
        "end_quarter": energy.span.end,
        "series": energy.series,
        "raw": energy.value.raw,
        "scaler": energy.value.scaler,
        "quarters": energy.quarters,
        "estimated": energy.estimated,
        "begin_known": energy.begin_known,
        "end_known": energy.end_known,
    }


def row_of(span: QuarterSpan, zone: ZoneInfo) -> tuple[QuarterSpan, int]:
    """In which row of `rollup` a period lies, and at which place: a day in its month, a month in its year."""
    first = quarter_date(span.begin, zone)
    if span == span_of(span.begin, "day", zone):
        return span_of(span.begin, "month", zone), first.day
    return span_of(span.begin, "year", zone), first.month
