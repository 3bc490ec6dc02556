"""Pairs that are one by likeness are kept between rebuilds; a hub of before keeps none yet."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "liked",
        sa.Column("a_record", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("b_record", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("millibits", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("a_record", "b_record"),
    )
    op.create_index("liked_b", "liked", ["b_record"], unique=False)
    op.add_column("population", sa.Column("kept", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("population") as table:
        table.alter_column("kept", server_default=None)
