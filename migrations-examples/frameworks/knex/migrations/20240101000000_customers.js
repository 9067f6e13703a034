exports.up = (knex) =>
  knex.schema.createTable('customers', (table) => {
    table.bigIncrements('id');
    table.text('email');
  });
exports.down = (knex) => knex.schema.dropTable('customers');
