exports.up = (knex) => knex.raw('CREATE INDEX CONCURRENTLY customers_email ON customers (email)');
exports.down = (knex) => knex.raw('DROP INDEX customers_email');
exports.config = { transaction: false };
