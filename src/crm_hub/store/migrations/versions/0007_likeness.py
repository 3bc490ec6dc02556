"""Likeness inside a hub: questions for people, what was measured, lines of several people."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("a_record", sa.BigInteger(), nullable=False),
        sa.Column("b_record", sa.BigInteger(), nullable=False),
        sa.Column("bits", sa.BigInteger(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("review_a", "review", ["a_record"], unique=False)
    op.create_index("review_b", "review", ["b_record"], unique=False)
    op.create_table(
        "population",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entity"),
    )
    op.add_column(
        "shared_key", sa.Column("kind", sa.Text(), nullable=False, server_default="crowded")
    )
    with op.batch_alter_table("shared_key") as table:
        table.alter_column("kind", server_default=None)
