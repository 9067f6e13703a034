import pg from 'pg';
import Postgrator from 'postgrator';

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await new Postgrator({
  migrationPattern: 'migrations/*',
  driver: 'pg',
  database: process.env.PGDATABASE,
  execQuery: (query) => client.query(query),
}).migrate();
await client.end();
