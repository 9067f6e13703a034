from alembic import op

revision = "a1c0ffee0003"
down_revision = "a1c0ffee0002"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("customers_email", "customers", ["email"], postgresql_concurrently=True)
