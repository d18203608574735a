"""An administrator takes values of another reader: those that counted until then become the conflicts."""

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, select, update

from iskra_server.base.json_values import utc
from iskra_server.fleet.central.claims import block_moves
from iskra_server.fleet.central.counter_rows import CounterRows, StoredRow
from iskra_server.fleet.central.epoch_numbers import correct_starts
from iskra_server.history.model.records import QUARTER_S, Exact, quarter_of
from iskra_server.history.store import StoreError
from iskra_server.history.store.rollup_marks import mark_meters
from iskra_server.history.store.schema import conflict, meter, quarter_reading, series
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis


def take_values(store: Store, meter_id: str, name: str, period: tuple[int, int], now_s: int) -> int:
    """Let the values count that this reader sent of a meter, from one quarter until before another.

    Returns how many. Raises StoreError where there are none, or where a counter would go back with them.
    """
    first, end = period
    statement = (
        select(conflict, series.c.obis)
        .join_from(conflict, series)
        .join(meter, meter.c.id == series.c.meter)
        .where(meter.c.meter_id == meter_id, conflict.c.reader == name)
        .where(conflict.c.quarter >= first, conflict.c.quarter < end)
        .order_by(conflict.c.series, conflict.c.quarter, conflict.c.at_s)
    )
    count = 0
    with store.transaction() as connection:
        block_moves(connection, exclusive=True)
        found = connection.execute(statement).all()
        if not found:
            raise StoreError(f"{name} has sent no other values of {meter_id} in this period.")
        changed = {row.quarter for row in found}
        for (number, obis), rows in groupby(found, key=lambda row: (row.series, row.obis)):
            # of several values of a quarter the newest
            chosen = {row.quarter: row for row in rows}
            counter = CounterRows(store, connection, number, is_new=False)
            taken = _with_epochs(counter, chosen)
            _check(counter, taken)
            for row in taken:
                _exchange(store, connection, chosen[row.quarter], row, now_s)
            starts = correct_starts(store, connection, counter, meter_id, Obis.parse(obis), quarters=chosen)
            # each lies between this quarter's reading and the next
            changed |= {quarter_of(start.at_s) + later for start in starts for later in (0, 1)}
            count += len(taken)
        meters = set(store.meter_row_ids(connection, [meter_id]).values())
        mark_meters(connection, store.insert, meters, min(changed), max(changed))
    return count


def _with_epochs(counter: CounterRows, chosen: Mapping[int, Row[Any]]) -> list[StoredRow]:
    """The values with the epochs of those that they replace; where none is kept, with that of the row beside it."""
    kept = {row.quarter: row for row in counter.between(min(chosen), max(chosen))}
    taken = []
    for quarter, row in chosen.items():
        beside = kept.get(quarter) or counter.before(quarter) or counter.after(quarter)
        taken.append(StoredRow(quarter, Exact(row.raw, row.scaler), beside.epoch if beside else 0))
    return taken


def _check(counter: CounterRows, taken: Sequence[StoredRow]) -> None:
    """Raises StoreError where the counter would go back."""
    new = {row.quarter: row for row in taken}
    first, last = taken[0].quarter, taken[-1].quarter
    rows = {row.quarter: row for row in counter.between(first, last)} | new
    for number in {row.epoch for row in taken}:
        inside = [row for _, row in sorted(rows.items()) if row.epoch == number]
        beside = counter.before(first, number), counter.after(last, number)
        for before, after in pairwise(filter(None, (beside[0], *inside, beside[1]))):
            if before.wh > after.wh:
                raise StoreError(
                    f"The counter would go back at {utc(after.quarter * QUARTER_S)}, "
                    f"from {before.wh:f} to {after.wh:f} Wh. Nothing was changed; choose another period."
                )


def _exchange(store: Store, connection: Connection, chosen: Row[Any], taken: StoredRow, now_s: int) -> None:
    key = and_(quarter_reading.c.series == chosen.series, quarter_reading.c.quarter == chosen.quarter)
    values = {"raw": chosen.raw, "scaler": chosen.scaler, "quality": chosen.quality}
    before = connection.execute(select(quarter_reading).where(key)).first()
    of_quarter = and_(conflict.c.series == chosen.series, conflict.c.quarter == chosen.quarter)
    same = and_(conflict.c.reader == chosen.reader, conflict.c.raw == chosen.raw, conflict.c.scaler == chosen.scaler)
    connection.execute(delete(conflict).where(of_quarter, same))
    now_kept = {"kept_raw": chosen.raw, "kept_scaler": chosen.scaler, "kept_reader": chosen.reader}
    connection.execute(update(conflict).where(of_quarter).values(**now_kept))
    if before is None:
        row = {"series": chosen.series, "quarter": chosen.quarter, "epoch": taken.epoch, **values}
        connection.execute(insert(quarter_reading).values(row))
        return
    connection.execute(update(quarter_reading).where(key).values(**values))
    # it may have been a conflict before it counted
    statement = store.insert(conflict).on_conflict_do_nothing()
    connection.execute(
        statement.values(
            series=chosen.series,
            quarter=chosen.quarter,
            reader=chosen.kept_reader or chosen.reader,
            raw=before.raw,
            scaler=before.scaler,
            quality=before.quality,
            at_s=now_s,
            **now_kept,
        )
    )
