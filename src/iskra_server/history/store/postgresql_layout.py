"""The tables in PostgreSQL: plain, or for an extension. `database_profile` chooses once, for an empty database.

- plain: native partitions by month (partitions.py); any PostgreSQL.
- timescale: hypertables instead, which TimescaleDB partitions and compresses by itself.
- citus: the partitions of plain, each distributed over the nodes by meter or series.

The statements are written out here as an administrator would type them.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, ForeignKeyConstraint, Index, MetaData, text
from sqlalchemy.exc import DBAPIError

from iskra_server.history.store import StoreError, partitions
from iskra_server.history.store.schema import PARTITIONED, DatabaseProfile, metadata

# table -> the column whose rows lie together on one node or in one compressed segment
_OWNERS = {"boundary": "series", "power": "meter", "points": "meter", "epoch": "series", "live": "meter"}
# tables that every node has completely; a sum over a group joins them
_EVERYWHERE = ("meter", "series", "label")
_EXTENSIONS = {"timescale": "timescaledb", "citus": "citus"}
_CHUNK_DAYS = 30
# a reader that was away for a month still writes into uncompressed chunks
_COMPRESSED_AFTER_DAYS = 90


def tables(*, partitioned: bool = True) -> MetaData:
    """A copy of the tables as PostgreSQL has them; not `partitioned` where an extension does that."""
    copy = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.sorted_tables:
        table.to_metadata(copy)
    for name, (column, _) in PARTITIONED.items():
        table = copy.tables[name]
        # checking a foreign key costs more than the row itself, and locks the series that every writer uses
        table.constraints -= {key for key in table.constraints if isinstance(key, ForeignKeyConstraint)}
        if partitioned:
            table.dialect_options["postgresql"]["partition_by"] = f"RANGE ({column})"
    # a small index, as rows lie in order of time: it finds the pages of a day among those of a month
    for name in ("boundary", "power"):
        Index(f"ix_{name}_quarter", copy.tables[name].c.quarter, postgresql_using="brin")
    # a sum over a group reads the same few hours of many meters: here they lie together, with the summed columns
    quarter_reading = copy.tables["boundary"]
    Index(
        "ix_boundary_hour",
        quarter_reading.c.quarter,
        quarter_reading.c.series,
        postgresql_include=["raw", "scaler", "epoch"],
        postgresql_where=text("(quarter & 3) = 0"),
    )
    return copy


def create_tables(connection: Connection, profile: DatabaseProfile) -> None:
    """Create every table. Raises StoreError where the extension is missing."""
    if profile in _EXTENSIONS:
        _require(connection, profile)
    partitioned = profile != "timescale"
    tables(partitioned=partitioned).create_all(connection)
    # a day is added to a row each day: it stays on its page
    connection.execute(text("ALTER TABLE rollup SET (fillfactor = 40)"))
    # the new version of a row fits into the same page, so that no index changes (heap-only tuples)
    connection.execute(text("ALTER TABLE live SET (fillfactor = 50)"))
    if partitioned:
        partitions.create_rest_partitions(connection)
    for statement in extension_statements(profile):
        connection.execute(text(statement))


def extension_statements(profile: DatabaseProfile) -> Iterator[str]:
    """What an extension needs after the tables are created."""
    if profile == "timescale":
        for table, (column, day) in PARTITIONED.items():
            yield from _hypertable(table, column, day)
    if profile == "citus":
        for table in _EVERYWHERE:
            yield f"SELECT create_reference_table('{table}')"
        for table, owner in _OWNERS.items():
            yield f"SELECT create_distributed_table('{table}', '{owner}')"


def _hypertable(table: str, column: str, day: int) -> Iterator[str]:
    seconds = 86_400 // day
    chunk, after = _CHUNK_DAYS * day, _COMPRESSED_AFTER_DAYS * day
    kind = "integer" if day < 86_400 else "bigint"
    now = f"iskra_now_{table}"
    yield f"SELECT create_hypertable('{table}', by_range('{column}', {chunk}), create_default_indexes => false)"
    yield (
        f"CREATE FUNCTION {now}() RETURNS {kind} LANGUAGE sql STABLE AS "
        f"$$ SELECT (extract(epoch FROM now()) / {seconds})::{kind} $$"
    )
    yield f"SELECT set_integer_now_func('{table}', '{now}')"
    owner = _OWNERS[table]
    yield (
        f"ALTER TABLE {table} SET (timescaledb.compress, timescaledb.compress_segmentby = '{owner}', "
        f"timescaledb.compress_orderby = '{column}')"
    )
    yield f"SELECT add_compression_policy('{table}', compress_after => {after})"


def _require(connection: Connection, profile: DatabaseProfile) -> None:
    name = _EXTENSIONS[profile]
    try:
        with connection.begin_nested():
            connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {name}"))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        raise _missing(profile, name) from error


def _missing(profile: str, name: str) -> StoreError:
    return StoreError(
        f"database_profile is {profile}, but this PostgreSQL has no extension {name} that this user may create. "
        "Install it, or set database_profile to plain."
    )
