from yoyo import step

__depends__ = {"0002.email-required"}
__transactional__ = False

steps = [step("CREATE INDEX CONCURRENTLY customers_email ON customers (email)", "DROP INDEX customers_email")]
