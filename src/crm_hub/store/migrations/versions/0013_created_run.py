"""An identity says itself in which run it was created, instead of an entry of the change log."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("created_run_id", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("identity", column)
    op.execute(
        "UPDATE identity SET created_run_id = COALESCE((SELECT MIN(c.run_id) FROM change_log c"
        " WHERE c.identity_id = identity.id AND c.kind = 'created'), 0)"
    )
    op.execute("DELETE FROM change_log WHERE kind = 'created'")
