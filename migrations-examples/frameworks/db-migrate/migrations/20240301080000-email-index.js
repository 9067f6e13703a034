'use strict';
const fs = require('fs');
const path = require('path');
const sql = (half) => fs.readFileSync(path.join(__dirname, 'sqls', '20240301080000-email-index-' + half + '.sql'), 'utf8');
exports.up = (db) => db.runSql(sql('up'));
exports.down = (db) => db.runSql(sql('down'));
