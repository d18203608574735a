"""A central server: the energy of whole days and months of every counter, and marks where to compute it again."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_PLACES = range(1, 32)


def upgrade() -> None:
    op.create_table(
        "rollup",
        sa.Column("begin_quarter", sa.Integer),
        sa.Column("end_quarter", sa.Integer),
        sa.Column("series", sa.Integer),
        sa.Column("scaler", sa.SmallInteger),
        *(sa.Column(f"energy_{place}", sa.BigInteger) for place in _PLACES),
        *(sa.Column(f"estimated_{place}", sa.SmallInteger) for place in _PLACES),
        sa.PrimaryKeyConstraint("begin_quarter", "end_quarter", "series", "scaler", name="pk_rollup"),
        sa.ForeignKeyConstraint(["series"], ["series.id"], name="fk_rollup_series"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup_part",
        sa.Column("begin_quarter", sa.Integer),
        sa.Column("end_quarter", sa.Integer),
        sa.Column("series", sa.Integer),
        sa.Column("raw", sa.BigInteger, nullable=False),
        sa.Column("scaler", sa.SmallInteger, nullable=False),
        sa.Column("quarters", sa.SmallInteger, nullable=False),
        sa.Column("estimated", sa.SmallInteger, nullable=False),
        sa.Column("begin_known", sa.Boolean, nullable=False),
        sa.Column("end_known", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("begin_quarter", "end_quarter", "series", name="pk_rollup_part"),
        sa.ForeignKeyConstraint(["series"], ["series.id"], name="fk_rollup_part_series"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup_due",
        sa.Column("end_quarter", sa.Integer),
        sa.Column("begin_quarter", sa.Integer),
        sa.Column("meter", sa.Integer),
        sa.PrimaryKeyConstraint("end_quarter", "begin_quarter", "meter", name="pk_rollup_due"),
        sa.ForeignKeyConstraint(["meter"], ["meter.id"], name="fk_rollup_due_meter"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup_state",
        sa.Column("zone", sa.Text),
        sa.Column("since_quarter", sa.Integer, nullable=False),
        sa.Column("open_quarter", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("zone", name="pk_rollup_state"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        # a day is added to a row each day: it stays on its page
        op.execute("ALTER TABLE rollup SET (fillfactor = 40)")
