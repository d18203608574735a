"""Spot prices, where each came from and when, and published prices that differ from those in force."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "price_retrieval",
        sa.Column("id", sa.Integer),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at_s", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_price_retrieval"),
    )
    for name, key in (("spot_price", ("zone", "quarter")), ("other_price", ("zone", "quarter", "raw", "minutes"))):
        op.create_table(
            name,
            sa.Column("zone", sa.Text),
            sa.Column("quarter", sa.Integer),
            sa.Column("raw", sa.BigInteger, nullable=False),
            sa.Column("minutes", sa.SmallInteger, nullable=False),
            sa.Column("retrieval", sa.Integer, nullable=False),
            sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"),
            sa.ForeignKeyConstraint(["retrieval"], ["price_retrieval.id"], name=f"fk_{name}_retrieval"),
            sqlite_with_rowid=False,
        )
