"""Whether any key is a crowd's is asked with each batch: an index answers it at once."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("shared_key_kind", "shared_key", ["kind"], unique=False)
