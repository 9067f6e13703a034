exports.up = (pgm) => {
  pgm.noTransaction();
  pgm.createIndex('customers', 'email', { name: 'customers_email', concurrently: true });
};
exports.down = (pgm) => pgm.dropIndex('customers', 'email', { name: 'customers_email' });
