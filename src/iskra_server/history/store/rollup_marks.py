"""Marks: the days and months of a meter whose roll-ups are to be computed, set in the transaction that writes quarters.

    writer     share state -- rows -- mark (day, month) ----------- commit       A mark is seen with its rows, or not.
    refresher                  lock marks -- compute -- delete marks -- commit   fleet/central/rollup_refresh.py

Of a day that is not over a known mark is left alone, without a lock: nobody removes it. A refresher declares a day over
by updating `rollup_state`, which waits for every writer that shares the row, and so for every mark that they rely on.
Later a writer locks the mark: it waits while the roll-up is computed, and then sets it again.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, Connection, Integer, Row, Select, Table, and_, bindparam, func, or_, select

from iskra_server.history.model.periods import Length, first_day, first_quarter, next_start, quarter_date
from iskra_server.history.model.records import EpochStart, QuarterReading, Record, quarter_of, start_s
from iskra_server.history.store.batches import batches
from iskra_server.history.store.schema import meter, quarter_reading, rollup_due, rollup_state, series

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

    Insert = Callable[[Table], "sqlite.Insert | postgresql.Insert"]
    Ask = Callable[[Select[Any]], Sequence[Row[Any]]]

_INSERT_ALL = "INSERT INTO rollup_due SELECT * FROM unnest(%s::int[], %s::int[], %s::int[])"
_UPDATE = "ON CONFLICT (end_quarter, begin_quarter, meter) DO UPDATE SET meter = excluded.meter"
_KEEP = "ON CONFLICT DO NOTHING"
# of the year 2999
_LATEST = 36_000_000
_LENGTHS: tuple[Length, ...] = ("day", "month")


class QuarterSpan(NamedTuple):
    """A local day, month or year: from quarter `begin` until before `end`; the reading at `end` closes it."""

    begin: int
    end: int


def span_of(quarter: int, length: Length, zone: ZoneInfo) -> QuarterSpan:
    """The local day, month or year that a quarter lies in."""
    first = first_day(quarter_date(quarter, zone), length)
    return QuarterSpan(first_quarter(first, zone), first_quarter(next_start(first, length), zone))


@lru_cache(4096)
def spans_at(quarter: int, zone: ZoneInfo) -> frozenset[QuarterSpan]:
    """The days and months that a reading is in; one at midnight closes a day and begins the next."""
    return frozenset(span_of(at, length, zone) for at in (quarter - 1, quarter) for length in _LENGTHS)


def mark_records(
    connection: Connection, insert: "Insert", records: Iterable[Record], meter_ids: Mapping[str, int]
) -> None:
    """Mark what these records, which were just written, change; `meter_ids` are the row ids of their meters."""
    quarters: dict[int, set[int]] = defaultdict(set)
    for record in records:
        if isinstance(record, QuarterReading | EpochStart):
            quarters[meter_ids[record.meter_id]].add(quarter_of(start_s(record)))
            if isinstance(record, EpochStart):
                # it lies between this quarter's reading and the next
                quarters[meter_ids[record.meter_id]].add(quarter_of(start_s(record)) + 1)
    if quarters and (state := _shared_state(connection)):
        # before: no roll-ups; a clock that is wrong by centuries: beyond every calendar
        known = {number: {q for q in own if state.since_quarter <= q < _LATEST} for number, own in quarters.items()}
        _mark(connection, insert, state, {number: own for number, own in known.items() if own})


def mark_meters(connection: Connection, insert: "Insert", meters: Collection[int], first: int, last: int) -> None:
    """Mark what lies between two quarters, both included, of these meters and of all in their replacement chains."""
    if state := _shared_state(connection):
        chains = _chains(connection, meters)
        every = set(meters).union(*chains.values())
        spans = _spans_between(max(first, state.since_quarter), last, ZoneInfo(state.zone))
        _insert(connection, insert, state, {(span, number) for span in spans for number in every})


def mark_replacement(connection: Connection, insert: "Insert", old: int) -> None:
    """After `old` was replaced: all that its readings, and those of its successors, reach over."""
    if state := _shared_state(connection):
        chain = {old, *_chains(connection, [old]).get(old, ())}
        reach = connection.execute(
            select(func.min(quarter_reading.c.quarter), func.max(quarter_reading.c.quarter))
            .join(series, series.c.id == quarter_reading.c.series)
            .where(series.c.meter.in_(chain))
        ).one()
        if reach[0] is not None:
            # one that lies ahead of the clock by years must not mark years of days
            last = min(reach[1], state.open_quarter)
            mark_meters(connection, insert, chain, reach[0], last)


def _shared_state(connection: Connection) -> Row[Any] | None:
    """None where there are no roll-ups. Locked against the refresher that declares a day over, not among writers."""
    return connection.execute(select(rollup_state).with_for_update(read=True)).first()


def _mark(connection: Connection, insert: "Insert", state: Row[Any], quarters: Mapping[int, set[int]]) -> None:
    zone = ZoneInfo(state.zone)
    chains = _chains(connection, quarters)
    marks: set[tuple[QuarterSpan, int]] = set()
    for number, own in quarters.items():
        chain = chains.get(number, {number})
        spans = {span for quarter in own for span in spans_at(quarter, zone)}
        if len(chain) > 1:
            spans |= _spans_before_next(connection, number, own, state)
        marks |= {(span, each) for span in spans for each in chain}
    _insert(connection, insert, state, marks)


def _spans_before_next(connection: Connection, number: int, quarters: set[int], state: Row[Any]) -> set[QuarterSpan]:
    """Until the next reading: where it is the first of a successor, its predecessor ends earlier than was known."""
    first, last = min(quarters), max(quarters)
    if first >= state.open_quarter:
        return set()
    following = connection.scalar(
        select(func.min(quarter_reading.c.quarter))
        .join(series, series.c.id == quarter_reading.c.series)
        .where(series.c.meter == number, quarter_reading.c.quarter > last)
    )
    end = min(following or state.open_quarter, state.open_quarter)
    return _spans_between(max(first, state.since_quarter), end, ZoneInfo(state.zone))


def _spans_between(first: int, last: int, zone: ZoneInfo) -> set[QuarterSpan]:
    spans: set[QuarterSpan] = set()
    while first <= last:
        spans |= spans_at(first, zone)
        first = span_of(first, "day", zone).end
    return spans


def _insert(
    connection: Connection, insert: "Insert", state: Row[Any], marks: Collection[tuple[QuarterSpan, int]]
) -> None:
    """Ordered by key, so that two writers wait for each other and do not deadlock."""
    rows = [
        {"end_quarter": span.end, "begin_quarter": span.begin, "meter": number}
        for span, number in sorted(marks, key=lambda mark: (mark[0].end, mark[0].begin, mark[1]))
        if span.begin >= state.since_quarter
    ]
    over = [row for row in rows if row["end_quarter"] <= state.open_quarter]
    # an update, though of nothing: it locks the mark, which may be just about to be removed
    for part, conflict in ((over, _UPDATE), (rows[len(over) :], _KEEP)):
        if not part:
            continue
        if connection.dialect.name == "postgresql":
            columns = tuple([row[column.name] for row in part] for column in rollup_due.c)
            connection.exec_driver_sql(f"{_INSERT_ALL} {conflict}", columns)
        else:
            connection.execute(insert(rollup_due).on_conflict_do_nothing(), part)


def _chains(connection: Connection, meters: Iterable[int]) -> dict[int, set[int]]:
    """Of those meters that replaced another or were replaced: all meters of their chain."""
    joined: dict[int, set[int]] = {}
    for old, new in replacements(lambda statement: connection.execute(statement).all(), meters):
        chain = joined.get(old, {old}) | joined.get(new, {new})
        joined |= dict.fromkeys(chain, chain)
    return joined


def plain_numbers(numbers: Sequence[int]) -> BindParameter[Any]:
    """For IN, written into the statement: planning thousands of parameters takes longer than their query."""
    return bindparam(None, numbers, Integer(), expanding=True, literal_execute=True)


def replacements(ask: "Ask", meters: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Each replaced meter and its successor, of the chains in which these meters are."""
    found: set[tuple[int, int]] = set()
    new = set(meters)
    while new:
        numbers, new = sorted(new), set()
        for part in batches(numbers):
            replaced, of_part = meter.c.replaced_by, plain_numbers(part)
            is_in_chain = or_(and_(meter.c.id.in_(of_part), replaced.is_not(None)), replaced.in_(of_part))
            for row in ask(select(meter.c.id, replaced).where(is_in_chain)):
                if (pair := (row.id, row.replaced_by)) not in found:
                    found.add(pair)
                    new |= set(pair) - set(numbers)
                    yield pair
