export const up = (db) =>
  db.schema.createTable('customers').addColumn('id', 'bigserial', (column) => column.primaryKey()).addColumn('email', 'text').execute();
export const down = (db) => db.schema.dropTable('customers').execute();
