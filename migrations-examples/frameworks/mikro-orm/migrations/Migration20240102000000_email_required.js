const { Migration } = require('@mikro-orm/migrations');

exports.Migration20240102000000_email_required = class extends Migration {
  async up() {
    this.addSql('ALTER TABLE customers ALTER COLUMN email SET NOT NULL');
  }
  async down() {
    this.addSql('ALTER TABLE customers ALTER COLUMN email DROP NOT NULL');
  }
};
