exports.up = ({ context }) => context.addIndex('customers', ['email'], { name: 'customers_email', concurrently: true });
exports.down = ({ context }) => context.removeIndex('customers', 'customers_email');
