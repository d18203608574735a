"""Many rows into PostgreSQL with one statement: the columns are sent as arrays, the server makes rows of them.

    INSERT INTO boundary (series, quarter, ...) SELECT * FROM unnest($1::int[], $2::int[], ...) ON CONFLICT ...

Rows go in the order of their keys, so that two programs that write the same rows wait for each other and do not
deadlock. Arrays of numbers are sent as text: that is quicker than psycopg's binary form.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, Table

from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.mapping import RowValues
from iskra_server.history.store.schema import epoch, power, quarter_reading
from iskra_server.meter.obis import Obis

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
_UPSERT_METERS = (
    "INSERT INTO meter (meter_id, server_id, simulated, first_s, last_s, port) "
    "SELECT * FROM unnest(%s::text[], %s::text[], %s::bool[], %s::bigint[], %s::bigint[], %s::text[]) "
    "ON CONFLICT (meter_id) DO UPDATE SET first_s = least(meter.first_s, excluded.first_s), "
    "last_s = greatest(meter.last_s, excluded.last_s), port = coalesce(excluded.port, meter.port)"
)
_INSERT_SERIES = "INSERT INTO series (meter, obis) SELECT * FROM unnest(%s::int[], %s::text[]) ON CONFLICT DO NOTHING"
_SELECT_SERIES = (
    "SELECT meter_id, obis, series.id FROM series JOIN meter ON meter.id = series.meter WHERE meter_id = ANY(%s)"
)


def can_insert(table: Table) -> bool:
    return table.name in _ON_CONFLICT


def insert_rows(connection: Connection, table: Table, rows: Sequence[RowValues]) -> None:
    """Existing rows stay; but of a quarter's power the one with more telegrams. Same keys in `rows`: likewise."""
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
    connection.exec_driver_sql(statement, columns)


def upsert_meters(connection: Connection, meters: Iterable[MeterInfo]) -> None:
    """Meters, each once; when they were first and last seen widens."""
    ordered = sorted(meters, key=lambda info: info.meter_id)
    rows = ((i.meter_id, i.server_id, i.simulated, i.first_s, i.last_s, i.port or None) for i in ordered)
    connection.exec_driver_sql(_UPSERT_METERS, tuple(map(list, zip(*rows, strict=True))))


def upsert_live(connection: Connection, rows: Sequence[tuple[int, str, int, int | None]], *, keeps_power: bool) -> None:
    """The current state of meters, each once (row id, reader, Unix seconds, mW); newer rows stay.

    `keeps_power`: rows without power leave the earlier one.
    """
    meters, readers, moments, power_mw = zip(*sorted(rows), strict=True)
    statement = _UPSERT_LIVE.format(power_mw=_KEEP_POWER if keeps_power else "excluded.power_mw")
    connection.exec_driver_sql(statement, (_array(meters), list(readers), _array(moments), _array(power_mw)))


def series_ids(
    connection: Connection, keys: Sequence[tuple[str, Obis]], meter_ids: Mapping[str, int]
) -> dict[tuple[str, Obis], int]:
    """The row ids of series, which are created where they are missing."""
    rows = sorted((meter_ids[name], str(obis)) for name, obis in keys)
    connection.exec_driver_sql(_INSERT_SERIES, tuple(map(list, zip(*rows, strict=True))))
    series = connection.exec_driver_sql(_SELECT_SERIES, ([name for name, _ in keys],))
    return {(name, Obis.parse(obis)): row_id for name, obis, row_id in series.all()}


def _array(values: Sequence[int | None]) -> str:
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"
