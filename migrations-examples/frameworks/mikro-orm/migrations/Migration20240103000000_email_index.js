const { Migration } = require('@mikro-orm/migrations');

exports.Migration20240103000000_email_index = class extends Migration {
  async up() {
    this.addSql('CREATE INDEX CONCURRENTLY customers_email ON customers (email)');
  }
  async down() {
    this.addSql('DROP INDEX customers_email');
  }
  isTransactional() {
    return false;
  }
};
