"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "meter",
        sa.Column("id", sa.Integer),
        sa.Column("meter_id", sa.Text, nullable=False),
        sa.Column("server_id", sa.Text, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("first_s", sa.BigInteger, nullable=False),
        sa.Column("last_s", sa.BigInteger, nullable=False),
        sa.Column("replaced_by", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_meter"),
        sa.UniqueConstraint("meter_id", name="uq_meter_meter_id"),
        sa.ForeignKeyConstraint(["replaced_by"], ["meter.id"], name="fk_meter_replaced_by"),
    )
    op.create_table(
        "series",
        sa.Column("id", sa.Integer),
        sa.Column("meter", sa.Integer, nullable=False),
        sa.Column("obis", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
        sa.UniqueConstraint("meter", "obis", name="uq_series_meter_obis"),
        sa.ForeignKeyConstraint(["meter"], ["meter.id"], name="fk_series_meter"),
    )
    op.create_table(
        "boundary",
        sa.Column("series", sa.Integer),
        sa.Column("quarter", sa.Integer),
        sa.Column("raw", sa.BigInteger, nullable=False),
        sa.Column("scaler", sa.SmallInteger, nullable=False),
        sa.Column("quality", sa.SmallInteger, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("series", "quarter", name="pk_boundary"),
        sa.ForeignKeyConstraint(["series"], ["series.id"], name="fk_boundary_series"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "power",
        sa.Column("meter", sa.Integer),
        sa.Column("quarter", sa.Integer),
        sa.Column("min_mw", sa.BigInteger, nullable=False),
        sa.Column("mean_mw", sa.BigInteger, nullable=False),
        sa.Column("max_mw", sa.BigInteger, nullable=False),
        sa.Column("telegrams", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("meter", "quarter", name="pk_power"),
        sa.ForeignKeyConstraint(["meter"], ["meter.id"], name="fk_power_meter"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "epoch",
        sa.Column("series", sa.Integer),
        sa.Column("epoch", sa.Integer),
        sa.Column("at_s", sa.BigInteger, nullable=False),
        sa.Column("before_raw", sa.BigInteger),
        sa.Column("before_scaler", sa.SmallInteger),
        sa.Column("after_raw", sa.BigInteger, nullable=False),
        sa.Column("after_scaler", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("series", "epoch", name="pk_epoch"),
        sa.ForeignKeyConstraint(["series"], ["series.id"], name="fk_epoch_series"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "points",
        sa.Column("meter", sa.Integer),
        sa.Column("first_s", sa.BigInteger),
        sa.Column("crc32", sa.BigInteger),
        sa.Column("last_s", sa.BigInteger, nullable=False),
        sa.Column("telegrams", sa.Integer, nullable=False),
        sa.Column("min_mw", sa.BigInteger),
        sa.Column("mean_mw", sa.BigInteger),
        sa.Column("max_mw", sa.BigInteger),
        sa.Column("octets", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("meter", "first_s", "crc32", name="pk_points"),
        sa.ForeignKeyConstraint(["meter"], ["meter.id"], name="fk_points_meter"),
    )
