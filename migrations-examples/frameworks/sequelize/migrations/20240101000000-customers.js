const { DataTypes } = require('sequelize');

exports.up = ({ context }) =>
  context.createTable('customers', {
    id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true },
    email: { type: DataTypes.TEXT },
  });
exports.down = ({ context }) => context.dropTable('customers');
