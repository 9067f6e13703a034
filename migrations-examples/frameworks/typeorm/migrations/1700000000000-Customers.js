module.exports = class Customers1700000000000 {
  async up(runner) {
    await runner.query('CREATE TABLE "customers" ("id" bigserial PRIMARY KEY, "email" text)');
  }

  async down(runner) {
    await runner.query('DROP TABLE "customers"');
  }
};
