"""Where a meter was read last: who finds another one there may be asked whether it has replaced it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("meter", sa.Column("port", sa.Text))
