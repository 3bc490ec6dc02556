"""Whose brief has to be looked at again: three lines that go out with a card."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "brief_due",
        sa.Column("identity_id", _ID, autoincrement=False, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("identity_id"),
    )
    op.create_index("brief_due_at", "brief_due", ["at_us"], unique=False)
