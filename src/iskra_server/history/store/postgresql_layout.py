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

# what grows with time: table -> the column whose rows lie together on one node or in one compressed segment. Series and
# meter are no common key: a row of boundary would need the meter as well, and a batch is not written faster
_OWNERS = {"boundary": "series", "epoch": "series", "power": "meter", "points": "meter"}
# tables that every node has completely, as sums over a group join them: rarely written, as their writers take turns
_EVERYWHERE = ("meter", "series", "label")
# the state of meters and readers, and what one program writes: small beside the history, joined with each other in ways
# that Citus cannot distribute, and all collectors and servers connect to the coordinator
COORDINATOR_ONLY = (
    "live",
    "meter_reader",
    "epoch_origin",
    "conflict",
    # less than a thousandth of the rows that they sum
    "rollup",
    "rollup_part",
    "rollup_due",
    "rollup_state",
    "reader",
    "refused",
    "uplink",
    "outbox",
    "clock_step",
    "set_aside",
    "price_retrieval",
    "spot_price",
    "other_price",
)
# planning, making months and moving shards cost shards x months x tables; enough for four workers
_SHARDS = 8
_EXTENSIONS = {"timescale": "timescaledb", "citus": "citus"}
# in the error of TimescaleDB and Citus that were not loaded at the start of PostgreSQL
_NOT_LOADED = ("must be preloaded", "can only be loaded via shared_preload_libraries")
_DAY_S = 86_400
_CHUNK_DAYS = 30
# a reader that was away for a month still writes into uncompressed chunks
_COMPRESSED_AFTER_DAYS = 90
# of the whole database, for its next connections
_SETTINGS = {
    # a backlog that is older than _COMPRESSED_AFTER_DAYS may touch any number of compressed rows
    "timescale": {"timescaledb.max_tuples_decompressed_per_dml_transaction": "0"},
    # else each batch and each question opens new connections to the workers, with TLS
    "citus": {"citus.max_cached_conns_per_worker": "32"},
}
_SET = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {name} = %L', current_database(), '{value}'); END $$"
# where an extension lists the tables that it has taken over
_LAYOUTS: dict[DatabaseProfile, tuple[str, str]] = {
    "citus": ("pg_catalog.pg_dist_partition", "logicalrelid"),
    "timescale": ("_timescaledb_catalog.hypertable", "format('%I.%I', schema_name, table_name)::regclass"),
}


def tables(profile: DatabaseProfile = "plain") -> MetaData:
    """A copy of the tables as PostgreSQL has them in a profile."""
    copy = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.sorted_tables:
        table.to_metadata(copy)
    # checking a foreign key costs more than the row itself, and locks the series that every writer uses; Citus changes
    # no table that others refer to once a transaction has touched rows on several nodes
    for table in copy.tables.values() if profile == "citus" else (copy.tables[name] for name in PARTITIONED):
        table.constraints -= {key for key in table.constraints if isinstance(key, ForeignKeyConstraint)}
    for name, (column, _) in PARTITIONED.items():
        table = copy.tables[name]
        if profile != "timescale":
            table.dialect_options["postgresql"]["partition_by"] = f"RANGE ({column})"
    for index in copy.tables["meter"].indexes:
        if index.name == "ix_meter_replaced_by":
            index.dialect_options["postgresql"]["where"] = text("replaced_by IS NOT NULL")
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
    if profile == "citus":
        _require_nodes(connection)
    tables(profile).create_all(connection)
    # a day is added to a row each day: it stays on its page
    connection.execute(text("ALTER TABLE rollup SET (fillfactor = 40)"))
    # the new version of a row fits into the same page, so that no index changes (heap-only tuples)
    connection.execute(text("ALTER TABLE live SET (fillfactor = 50)"))
    if profile != "timescale":
        partitions.create_rest_partitions(connection)
    for statement in extension_statements(profile):
        connection.execute(text(statement))


def distribute_new_tables(connection: Connection) -> None:
    """Citus: what a migration has created is distributed as in a new database."""
    # a foreign key makes a table known to Citus as well, as neither hashed nor replicated
    placed = "SELECT logicalrelid::text FROM pg_dist_partition WHERE partmethod = 'h' OR repmodel = 't'"
    names = {name.rpartition(".")[2] for name in connection.execute(text(placed)).scalars()}
    for table, statement in _distribution():
        if table not in names:
            connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS fk_{table}_{_OWNERS.get(table)}"))
            connection.execute(text(statement))


def extension_statements(profile: DatabaseProfile) -> Iterator[str]:
    """What an extension needs after the tables are created."""
    for name, value in _SETTINGS.get(profile, {}).items():
        yield _SET.format(name=name, value=value)
    if profile == "timescale":
        for table, (column, day) in PARTITIONED.items():
            yield from _hypertable(table, column, day)
    if profile == "citus":
        yield from (statement for _, statement in _distribution())


def _distribution() -> Iterator[tuple[str, str]]:
    """Tables of Citus, each with the statement that distributes it."""
    for table in _EVERYWHERE:
        yield table, f"SELECT create_reference_table('{table}')"
    together = f"shard_count => {_SHARDS}"
    for table, owner in _OWNERS.items():
        yield table, f"SELECT create_distributed_table('{table}', '{owner}', {together})"
        together = "colocate_with => 'boundary'"


def check_profile(connection: Connection, profile: DatabaseProfile) -> None:
    """Raises StoreError where the tables are laid out for another profile."""
    found = layout(connection)
    if found != profile:
        raise StoreError(
            f"history.database_profile is {profile}, but this database was laid out for {found} for good. Set "
            f"history.database_profile to {found}, or use an empty database."
        )


def layout(connection: Connection) -> DatabaseProfile:
    """The profile that the tables are laid out for."""
    for profile, (catalogue, table) in _LAYOUTS.items():
        if connection.execute(text(f"SELECT to_regclass('{catalogue}')")).scalar() is None:
            continue
        if connection.execute(text(f"SELECT 1 FROM {catalogue} WHERE {table} = to_regclass('boundary')")).first():
            return profile
    return "plain"


def drop_chunks(connection: Connection, table: str, before_s: float) -> int:
    """TimescaleDB: drop the chunks of a table that end before a moment; returns how many."""
    older = int(before_s) * PARTITIONED[table][1] // _DAY_S
    return len(connection.execute(text(f"SELECT drop_chunks('{table}', older_than => {older})")).all())


def _hypertable(table: str, column: str, day: int) -> Iterator[str]:
    seconds = _DAY_S // day
    chunk, after = _CHUNK_DAYS * day, _COMPRESSED_AFTER_DAYS * day
    kind = "integer" if day < _DAY_S else "bigint"
    now = f"iskra_now_{table}"
    yield f"SELECT create_hypertable('{table}', by_range('{column}', {chunk}), create_default_indexes => false)"
    yield (
        f"CREATE FUNCTION {now}() RETURNS {kind} LANGUAGE sql STABLE AS "
        f"$$ SELECT (extract(epoch FROM now()) / {seconds})::{kind} $$"
    )
    yield f"SELECT set_integer_now_func('{table}', '{now}')"
    if table == "points":
        # they are compressed already
        return
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
        if any(phrase in str(error) for phrase in _NOT_LOADED):
            raise StoreError(
                f"database_profile is {profile}, but PostgreSQL has not loaded {name}. Add {name} to "
                "shared_preload_libraries in postgresql.conf, and restart PostgreSQL."
            ) from error
        if error.connection_invalidated:
            raise
        raise StoreError(
            f"database_profile is {profile}, but this PostgreSQL has no extension {name} that this user may create. "
            f"Install it and run CREATE EXTENSION {name} as a superuser, or set database_profile to plain."
        ) from error


def _require_nodes(connection: Connection) -> None:
    """Raises StoreError where only a coordinator is known. Where nothing is, Citus takes this server for everything."""
    known, may_hold = connection.execute(
        text("SELECT count(*), count(*) FILTER (WHERE isactive AND shouldhaveshards) FROM pg_dist_node")
    ).one()
    if known and not may_hold:
        raise StoreError(
            "database_profile is citus, but its coordinator knows no node that may hold tables. Add one on the "
            "coordinator as a superuser: SELECT citus_add_node('worker-1', 5432)."
        )
