"""Many rows into PostgreSQL with one statement: the columns are sent as arrays, the server makes rows of them.

    INSERT INTO boundary (series, quarter, ...) SELECT * FROM unnest($1::int[], $2::int[], ...) ON CONFLICT ...

Rows go in the order of their keys, so that two programs that write the same rows wait for each other and do not
deadlock. Arrays of numbers are sent as text: that is quicker than psycopg's binary form.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ARRAY, Column, ColumnElement, Connection, Insert, Table, any_, bindparam, func, select

from iskra_server.history.store.mapping import RowValues
from iskra_server.history.store.schema import epoch, power, quarter_reading

_KEEP_OLD = "ON CONFLICT DO NOTHING"
# of a quarter's power that a restart cut in two, the half with more telegrams counts
_KEEP_FULLER = (
    "ON CONFLICT (meter, quarter) DO UPDATE SET min_mw = excluded.min_mw, mean_mw = excluded.mean_mw, "
    "max_mw = excluded.max_mw, telegrams = excluded.telegrams WHERE excluded.telegrams > power.telegrams"
)
# the tables whose columns are all numbers
_ON_CONFLICT = {quarter_reading.name: _KEEP_OLD, epoch.name: _KEEP_OLD, power.name: _KEEP_FULLER}
# the power is no parameter: Citus hands the conflict clause to a node without the parameters of the rest
_UPSERT_LIVE = (
    "INSERT INTO live (meter, reader, at_s, at_quarter, power_mw) "
    "SELECT meter, reader, at_s, at_s / 900, power_mw "
    "FROM unnest(%s::int[], %s::text[], %s::bigint[], %s::bigint[]) AS sent (meter, reader, at_s, power_mw) "
    "ON CONFLICT (meter) DO UPDATE SET "
    "reader = excluded.reader, at_s = excluded.at_s, at_quarter = excluded.at_quarter, "
    "power_mw = {power_mw} "
    "WHERE excluded.at_s >= live.at_s"
)
_KEEP_POWER = "coalesce(excluded.power_mw, live.power_mw)"


def one_of(connection: Connection, column: Column[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Whether a column has one of these values; in PostgreSQL they are one parameter, not thousands."""
    if connection.dialect.name != "postgresql":
        return column.in_(values)
    return column == any_(bindparam(None, list(values), type_=ARRAY(column.type)))


def insert_all(connection: Connection, statement: Insert, rows: Sequence[RowValues]) -> None:
    """An INSERT of many rows, perhaps with ON CONFLICT; in PostgreSQL one statement, not one for each row."""
    if connection.dialect.name != "postgresql":
        connection.execute(statement, rows)
        return
    columns, names = statement.table.c, list(rows[0])
    arrays = (bindparam(None, [row[name] for row in rows], type_=ARRAY(columns[name].type)) for name in names)
    sent = func.unnest(*arrays).table_valued(*names).render_derived()
    connection.execute(statement.from_select(names, select(sent)))


def can_insert(table: Table) -> bool:
    return table.name in _ON_CONFLICT


def insert_rows(connection: Connection, table: Table, rows: Sequence[RowValues]) -> int:
    """Existing rows stay; but of a quarter's power the one with more telegrams. Same keys in `rows`: likewise.

    Returns how many rows were inserted or changed.
    """
    key = [column.name for column in table.primary_key]
    # of equal keys a dict keeps the last: the first of `rows`, or the one with the most telegrams
    best_last = sorted(rows, key=lambda row: row["telegrams"]) if table is power else rows[::-1]
    ordered = sorted({tuple(row[name] for name in key): row for row in best_last}.items())
    names = [column.name for column in table.columns]
    arrays = ", ".join(f"%s::{column.type.compile(connection.dialect)}[]" for column in table.columns)
    statement = (
        f"INSERT INTO {table.name} ({', '.join(names)}) SELECT * FROM unnest({arrays}) {_ON_CONFLICT[table.name]}"
    )
    columns = tuple(_array([row[name] for _, row in ordered]) for name in names)
    return connection.exec_driver_sql(statement, columns).rowcount


def upsert_live(connection: Connection, rows: Sequence[tuple[int, str, int, int | None]], *, keeps_power: bool) -> None:
    """The current state of meters, each once (row id, reader, Unix seconds, mW); newer rows stay.

    `keeps_power`: rows without power leave the earlier one.
    """
    meters, readers, moments, power_mw = zip(*sorted(rows), strict=True)
    statement = _UPSERT_LIVE.format(power_mw=_KEEP_POWER if keeps_power else "excluded.power_mw")
    connection.exec_driver_sql(statement, (_array(meters), list(readers), _array(moments), _array(power_mw)))


def _array(values: Sequence[int | None]) -> str:
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"
