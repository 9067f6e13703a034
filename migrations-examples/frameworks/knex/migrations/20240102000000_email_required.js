exports.up = (knex) => knex.schema.alterTable('customers', (table) => table.dropNullable('email'));
exports.down = (knex) => knex.schema.alterTable('customers', (table) => table.setNullable('email'));
