"""Many rows into PostgreSQL with one statement: the columns go as arrays, the server unfolds them.

    INSERT INTO boundary (series, quarter, ...) SELECT * FROM unnest($1::int[], $2::int[], ...) ON CONFLICT ...

Rows go in the order of their keys, so that two programs that write the same ones wait for each other, and never in a
circle.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table

from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store.schema import epoch, power, quarter_reading
from iskra_server.meter.obis import Obis

RowValues = dict[str, Any]

# what happens to a row that is there already
_KEPT = "ON CONFLICT DO NOTHING"
_FULLER = (
    "ON CONFLICT (meter, quarter) DO UPDATE SET min_mw = excluded.min_mw, mean_mw = excluded.mean_mw, "
    "max_mw = excluded.max_mw, telegrams = excluded.telegrams WHERE excluded.telegrams > power.telegrams"
)
_HEARD = (
    "INSERT INTO live (meter, reader, at_s, power_mw) "
    "SELECT * FROM unnest(%s::int[], %s::text[], %s::bigint[], %s::bigint[]) ON CONFLICT (meter) DO UPDATE SET "
    "reader = excluded.reader, at_s = excluded.at_s, power_mw = coalesce(excluded.power_mw, live.power_mw) "
    "WHERE excluded.at_s >= live.at_s"
)
# numbers alone: as text they are quicker to hand over
_TABLES = {quarter_reading.name: _KEPT, epoch.name: _KEPT, power.name: _FULLER}
_SEEN = (
    "INSERT INTO meter (meter_id, server_id, simulated, first_s, last_s, port) "
    "SELECT * FROM unnest(%s::text[], %s::text[], %s::bool[], %s::bigint[], %s::bigint[], %s::text[]) "
    "ON CONFLICT (meter_id) DO UPDATE SET first_s = least(meter.first_s, excluded.first_s), "
    "last_s = greatest(meter.last_s, excluded.last_s), port = coalesce(excluded.port, meter.port)"
)
_SERIES = "INSERT INTO series (meter, obis) SELECT * FROM unnest(%s::int[], %s::text[]) ON CONFLICT DO NOTHING"
_KNOWN = "SELECT meter_id, obis, series.id FROM series JOIN meter ON meter.id = series.meter WHERE meter_id = ANY(%s)"


def can_insert(table: Table) -> bool:
    return table.name in _TABLES


def insert_rows(connection: Connection, table: Table, rows: Sequence[RowValues]) -> None:
    """Rows that are there stay; but of a quarter's power the half with more telegrams."""
    key = [column.name for column in table.primary_key]
    ordered = sorted({tuple(row[name] for name in key): row for row in _fullest_last(rows)}.items())
    names = [column.name for column in table.columns]
    arrays = ", ".join(f"%s::{column.type.compile(connection.dialect)}[]" for column in table.columns)
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) SELECT * FROM unnest({arrays}) {_TABLES[table.name]}"
    columns = tuple(_array([row[name] for _, row in ordered]) for name in names)
    connection.exec_driver_sql(statement, columns)


def upsert_meters(connection: Connection, meters: Iterable[MeterInfo]) -> None:
    """Meters, each once; when they were seen first and last grows."""
    ordered = sorted(meters, key=lambda info: info.meter_id)
    rows = ((i.meter_id, i.server_id, i.simulated, i.first_s, i.last_s, i.port or None) for i in ordered)
    columns = zip(*rows, strict=True)
    connection.exec_driver_sql(_SEEN, tuple(map(list, columns)))


def upsert_live(connection: Connection, rows: Sequence[tuple[int, str, int, int | None]]) -> None:
    """The last word of meters, each once; what is newer stays."""
    meters, readers, moments, power_mw = zip(*sorted(rows), strict=True)
    connection.exec_driver_sql(_HEARD, (_array(meters), list(readers), _array(moments), _array(power_mw)))


def series_ids(
    connection: Connection, wanted: Iterable[tuple[str, Obis]], meters: dict[str, int]
) -> dict[tuple[str, Obis], int]:
    """The numbers of series, made where they are not there yet."""
    wanted = list(wanted)
    rows = sorted((meters[name], str(obis)) for name, obis in wanted)
    connection.exec_driver_sql(_SERIES, tuple(map(list, zip(*rows, strict=True))))
    found = connection.exec_driver_sql(_KNOWN, ([name for name, _ in wanted],))
    return {(name, Obis.parse(obis)): number for name, obis, number in found.all()}


def _fullest_last(rows: Sequence[RowValues]) -> Sequence[RowValues]:
    """Of rows with one key the last is taken: the first that was given; of power the one with the most telegrams."""
    if rows and "telegrams" in rows[0]:
        return sorted(rows, key=lambda row: row["telegrams"])
    return rows[::-1]


def _array(values: Sequence[int | None]) -> str:
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"
