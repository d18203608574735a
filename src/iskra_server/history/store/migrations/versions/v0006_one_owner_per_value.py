"""A central server: one reader per meter, its own epochs, conflicting values, labels with dates, fewer sequences.

A reader: why a quarter waits, and which history is sent.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
# the largest quarter that a column holds
_NEVER = 2**31 - 1


def upgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for column in (
        sa.Column("reason", sa.Text),
        sa.Column("refused", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("retry_s", sa.BigInteger),
    ):
        op.add_column("outbox", column)
    for column in (sa.Column("ledger", sa.Text), sa.Column("confirmed_s", sa.BigInteger)):
        op.add_column("uplink", column)
    if is_postgresql:
        _alter_postgresql()
    else:
        _copy_sqlite()
    for statement in (
        "CREATE INDEX ix_meter_compact ON meter (lower(replace(meter_id, ' ', '')))",
        "CREATE INDEX ix_meter_server_id ON meter (server_id)",
        "CREATE INDEX ix_meter_replaced_by ON meter (replaced_by) WHERE replaced_by IS NOT NULL",
    ):
        op.execute(statement)
    op.create_table(
        "meter_reader",
        sa.Column("meter", sa.Integer),
        sa.Column("since_s", sa.BigInteger),
        sa.Column("reader", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("meter", "since_s", name="pk_meter_reader"),
        sa.ForeignKeyConstraint(["meter"], ["meter.id"], name="fk_meter_reader_meter"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_meter_reader_reader", "meter_reader", ["reader", "meter"])
    op.execute("INSERT INTO meter_reader (meter, since_s, reader) SELECT meter, 0, reader FROM live")
    op.create_table(
        "epoch_origin",
        sa.Column("series", sa.Integer),
        sa.Column("ledger", sa.Text),
        sa.Column("ledger_epoch", sa.Integer),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("at_s", sa.BigInteger),
        sa.Column("before_raw", sa.BigInteger),
        sa.Column("before_scaler", sa.SmallInteger),
        sa.Column("after_raw", sa.BigInteger),
        sa.Column("after_scaler", sa.SmallInteger),
        sa.Column("from_quarter", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("series", "ledger", "ledger_epoch", name="pk_epoch_origin"),
        sa.ForeignKeyConstraint(["series"], ["series.id"], name="fk_epoch_origin_series"),
        sqlite_with_rowid=False,
    )
    # of a central server: the epochs that it has are those of its readers, as they numbered them
    of_readers = "SELECT id FROM series WHERE meter IN (SELECT meter FROM live)"
    op.execute(
        "INSERT INTO epoch_origin (series, ledger, ledger_epoch, epoch, from_quarter) "
        f"SELECT id, '', 0, 0, {_NEVER} FROM series WHERE id IN ({of_readers})"
    )
    start = "at_s, before_raw, before_scaler, after_raw, after_scaler"
    op.execute(
        f"INSERT INTO epoch_origin (series, ledger, ledger_epoch, epoch, {start}, from_quarter) "
        f"SELECT series, '', epoch, epoch, {start}, {_NEVER} "
        f"FROM epoch WHERE epoch > 0 AND series IN ({of_readers})"
    )
    op.create_table(
        "conflict",
        sa.Column("series", sa.Integer),
        sa.Column("quarter", sa.Integer),
        sa.Column("reader", sa.Text),
        sa.Column("raw", sa.BigInteger),
        sa.Column("scaler", sa.SmallInteger),
        sa.Column("quality", sa.SmallInteger, nullable=False),
        sa.Column("kept_raw", sa.BigInteger),
        sa.Column("kept_scaler", sa.SmallInteger),
        sa.Column("kept_reader", sa.Text),
        sa.Column("at_s", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("series", "quarter", "reader", "raw", "scaler", name="pk_conflict"),
        sa.ForeignKeyConstraint(["series"], ["series.id"], name="fk_conflict_series"),
        sqlite_with_rowid=False,
    )


def _alter_postgresql() -> None:
    """In place: a new table would lack the rights of collectors and servers."""
    for statement in (
        # an upsert of a known reader took a number of its sequence each time
        "ALTER TABLE reader DROP CONSTRAINT pk_reader, DROP CONSTRAINT uq_reader_name, DROP COLUMN id",
        "ALTER TABLE reader ADD CONSTRAINT pk_reader PRIMARY KEY (name)",
        "ALTER TABLE reader ADD COLUMN version TEXT, ADD COLUMN session TEXT, ADD COLUMN session_s BIGINT, "
        "ADD COLUMN rival_s BIGINT, ADD COLUMN skew_s BIGINT, ADD COLUMN waiting BIGINT, ADD COLUMN refused BIGINT, "
        "ADD COLUMN oldest_s BIGINT",
        "ALTER TABLE label ADD COLUMN from_quarter INTEGER NOT NULL DEFAULT 0, "
        "ADD COLUMN to_quarter INTEGER NOT NULL DEFAULT 2147483647",
        "ALTER TABLE label DROP CONSTRAINT pk_label",
        "ALTER TABLE label ADD CONSTRAINT pk_label PRIMARY KEY (meter, kind, from_quarter)",
        "DROP INDEX ix_live_at_s",
        "ALTER TABLE live ADD COLUMN at_quarter INTEGER NOT NULL DEFAULT 0",
        "UPDATE live SET at_quarter = at_s / 900",
        "CREATE INDEX ix_live_at_quarter ON live (at_quarter, meter)",
        # the new version of a row fits into the same page, so that no index changes
        "ALTER TABLE live SET (fillfactor = 50)",
    ):
        op.execute(statement)
    for table in ("refused", "clock_step", "set_aside"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN id TYPE BIGINT")
        op.execute(f"ALTER SEQUENCE {table}_id_seq AS BIGINT")


def _copy_sqlite() -> None:
    """SQLite cannot change a primary key."""
    for table in ("reader", "label", "live"):
        op.rename_table(table, f"{table}_0005")
    op.drop_index("ix_label_value")
    op.drop_index("ix_live_at_s")
    op.create_table(
        "reader",
        sa.Column("name", sa.Text),
        sa.Column("at_s", sa.BigInteger, nullable=False),
        sa.Column("ok", sa.Boolean, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.Text),
        sa.Column("session", sa.Text),
        sa.Column("session_s", sa.BigInteger),
        sa.Column("rival_s", sa.BigInteger),
        sa.Column("skew_s", sa.BigInteger),
        sa.Column("waiting", sa.BigInteger),
        sa.Column("refused", sa.BigInteger),
        sa.Column("oldest_s", sa.BigInteger),
        sa.PrimaryKeyConstraint("name", name="pk_reader"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "label",
        sa.Column("meter", sa.Integer),
        sa.Column("kind", sa.Text),
        sa.Column("from_quarter", sa.Integer, server_default="0"),
        sa.Column("to_quarter", sa.Integer, nullable=False, server_default="2147483647"),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("meter", "kind", "from_quarter", name="pk_label"),
        sa.ForeignKeyConstraint(["meter"], ["meter.id"], name="fk_label_meter"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_label_value", "label", ["kind", "value", "meter"])
    op.create_table(
        "live",
        sa.Column("meter", sa.Integer),
        sa.Column("reader", sa.Text, nullable=False),
        sa.Column("at_s", sa.BigInteger, nullable=False),
        sa.Column("at_quarter", sa.Integer, nullable=False, server_default="0"),
        sa.Column("power_mw", sa.BigInteger),
        sa.PrimaryKeyConstraint("meter", name="pk_live"),
        sa.ForeignKeyConstraint(["meter"], ["meter.id"], name="fk_live_meter"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_live_at_quarter", "live", ["at_quarter", "meter"])
    for statement in (
        "INSERT INTO reader (name, at_s, ok, sentence, status) "
        "SELECT name, at_s, ok, sentence, status FROM reader_0005",
        "INSERT INTO label (meter, kind, value) SELECT meter, kind, value FROM label_0005",
        "INSERT INTO live (meter, reader, at_s, at_quarter, power_mw) "
        "SELECT meter, reader, at_s, at_s / 900, power_mw FROM live_0005",
    ):
        op.execute(statement)
    for table in ("reader", "label", "live"):
        op.drop_table(f"{table}_0005")
