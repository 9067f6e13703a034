exports.up = (pgm) => pgm.createTable('customers', { id: 'id', email: { type: 'text' } });
exports.down = (pgm) => pgm.dropTable('customers');
