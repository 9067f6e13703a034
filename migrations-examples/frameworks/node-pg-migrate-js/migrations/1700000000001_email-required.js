exports.up = (pgm) => pgm.alterColumn('customers', 'email', { notNull: true });
exports.down = (pgm) => pgm.alterColumn('customers', 'email', { notNull: false });
