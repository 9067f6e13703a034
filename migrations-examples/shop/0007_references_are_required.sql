SET lock_timeout = '2s';

-- Someone has to read the whole table to prove it.
ALTER TABLE payments ALTER COLUMN reference SET NOT NULL;

-- Only gets wider: the catalog changes, no row does.
ALTER TABLE payments ALTER COLUMN reference TYPE varchar(80);
