"""Since when and until when records refer to others."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("from_us", "to_us"):
        op.add_column("record_link", sa.Column(name, sa.BigInteger()))
