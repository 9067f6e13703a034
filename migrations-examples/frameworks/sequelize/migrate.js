const { Sequelize } = require('sequelize');
const { SequelizeStorage, Umzug } = require('umzug');

const sequelize = new Sequelize(process.env.DATABASE_URL, { dialect: 'postgres', logging: false });
const umzug = new Umzug({
  migrations: { glob: 'migrations/*.js' },
  context: sequelize.getQueryInterface(),
  storage: new SequelizeStorage({ sequelize }),
  logger: undefined,
});

umzug.up().then(() => sequelize.close());
