import sqlalchemy as sa
from alembic import op

revision = "a1c0ffee0001"
down_revision = None


def upgrade():
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("email", sa.Text),
    )
