const { DataTypes } = require('sequelize');

exports.up = ({ context }) => context.changeColumn('customers', 'email', { type: DataTypes.TEXT, allowNull: false });
exports.down = ({ context }) => context.changeColumn('customers', 'email', { type: DataTypes.TEXT });
