module.exports = class EmailRequired1700000000001 {
  async up(runner) {
    await runner.query('ALTER TABLE "customers" ALTER COLUMN "email" SET NOT NULL');
  }

  async down(runner) {
    await runner.query('ALTER TABLE "customers" ALTER COLUMN "email" DROP NOT NULL');
  }
};
