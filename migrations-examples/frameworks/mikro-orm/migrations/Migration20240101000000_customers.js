const { Migration } = require('@mikro-orm/migrations');

exports.Migration20240101000000_customers = class extends Migration {
  async up() {
    this.addSql('CREATE TABLE customers (id bigserial PRIMARY KEY, email text)');
  }
  async down() {
    this.addSql('DROP TABLE customers');
  }
};
