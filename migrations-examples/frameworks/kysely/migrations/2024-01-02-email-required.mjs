export const up = (db) =>
  db.schema.alterTable('customers').alterColumn('email', (column) => column.setNotNull()).execute();
export const down = (db) =>
  db.schema.alterTable('customers').alterColumn('email', (column) => column.dropNotNull()).execute();
