"""Where a meter was read last, to ask whether a new meter at the same port has replaced it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("meter", sa.Column("port", sa.Text))
