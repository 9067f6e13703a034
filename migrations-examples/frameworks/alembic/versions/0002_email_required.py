from alembic import op

revision = "a1c0ffee0002"
down_revision = "a1c0ffee0001"


def upgrade():
    op.alter_column("customers", "email", nullable=False)
