"""Labels, the outbox of a reader, the readers of a central server; in PostgreSQL partitions by month."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_COLUMNS = {
    "boundary": "series, quarter, raw, scaler, quality, epoch",
    "power": "meter, quarter, min_mw, mean_mw, max_mw, telegrams",
    "points": "meter, first_s, crc32, last_s, telegrams, min_mw, mean_mw, max_mw, octets",
}
_PARTED_BY = {"boundary": ("quarter", 900), "power": ("quarter", 900), "points": ("first_s", 1)}
_KEYS = {"boundary": "series, quarter", "power": "meter, quarter", "points": "meter, first_s, crc32"}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in _COLUMNS:
            _partition(table)
        for table in ("boundary", "power"):
            op.create_index(f"ix_{table}_quarter", table, ["quarter"], postgresql_using="brin")
        op.execute(
            "CREATE INDEX ix_boundary_hour ON boundary (quarter, series) INCLUDE (raw, scaler, epoch) "
            "WHERE (quarter & 3) = 0"
        )
    op.create_table(
        "label",
        sa.Column("meter", sa.Integer),
        sa.Column("kind", sa.Text),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("meter", "kind", name="pk_label"),
        sa.ForeignKeyConstraint(["meter"], ["meter.id"], name="fk_label_meter"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_label_value", "label", ["kind", "value", "meter"])
    op.create_table(
        "outbox",
        sa.Column("meter", sa.Integer),
        sa.Column("quarter", sa.Integer),
        sa.Column("mark", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("meter", "quarter", name="pk_outbox"),
        sa.ForeignKeyConstraint(["meter"], ["meter.id"], name="fk_outbox_meter"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_outbox_quarter", "outbox", ["quarter", "meter"])
    op.create_table(
        "uplink",
        sa.Column("reader", sa.Text),
        sa.Column("since_s", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("reader", name="pk_uplink"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reader",
        sa.Column("id", sa.Integer),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at_s", sa.BigInteger, nullable=False),
        sa.Column("ok", sa.Boolean, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reader"),
        sa.UniqueConstraint("name", name="uq_reader_name"),
    )
    op.create_table(
        "live",
        sa.Column("meter", sa.Integer),
        sa.Column("reader", sa.Text, nullable=False),
        sa.Column("at_s", sa.BigInteger, nullable=False),
        sa.Column("power_mw", sa.BigInteger),
        sa.PrimaryKeyConstraint("meter", name="pk_live"),
        sa.ForeignKeyConstraint(["meter"], ["meter.id"], name="fk_live_meter"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_live_at_s", "live", ["at_s", "meter"])
    op.create_table(
        "refused",
        sa.Column("id", sa.Integer),
        sa.Column("at_s", sa.BigInteger, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("octets", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refused"),
    )


def _partition(table: str) -> None:
    """Make a table the parent of a partition for each month that it has rows of, and of the rest partition."""
    column, seconds = _PARTED_BY[table]
    for statement in (
        f"ALTER TABLE {table} RENAME TO {table}_0001",
        f"ALTER TABLE {table}_0001 RENAME CONSTRAINT pk_{table} TO pk_{table}_0001",
        f"CREATE TABLE {table} (LIKE {table}_0001 INCLUDING DEFAULTS) PARTITION BY RANGE ({column})",
        f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY ({_KEYS[table]})",
        f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT",
    ):
        op.execute(statement)
    found = f"""SELECT DISTINCT to_char(to_timestamp({column}::bigint * {seconds}) AT TIME ZONE 'UTC', 'YYYY-MM-01')
        FROM {table}_0001 WHERE {column}::bigint * {seconds} BETWEEN 946684800 AND 4102444799 ORDER BY 1"""
    for month in op.get_bind().execute(sa.text(found)).scalars().all():
        bounds = f"extract(epoch FROM {{}} AT TIME ZONE 'UTC')::bigint / {seconds}"
        begin, end = (bounds.format(f"(timestamp '{month}' + interval '{count} month')") for count in (0, 1))
        first, last = op.get_bind().execute(sa.text(f"SELECT {begin}, {end}")).one()
        name = f"{table}_{month[:4]}_{month[5:7]}"
        op.execute(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ({first}) TO ({last})")
    op.execute(f"INSERT INTO {table} ({_COLUMNS[table]}) SELECT {_COLUMNS[table]} FROM {table}_0001")
    op.execute(f"DROP TABLE {table}_0001")
