module.exports = class EmailIndex1700000000002 {
  transaction = false;

  async up(runner) {
    await runner.query('CREATE INDEX CONCURRENTLY "customers_email" ON "customers" ("email")');
  }

  async down(runner) {
    await runner.query('DROP INDEX "customers_email"');
  }
};
