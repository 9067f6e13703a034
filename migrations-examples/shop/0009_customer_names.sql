SET lock_timeout = '2s';
ALTER TABLE customers RENAME COLUMN name TO full_name;

ALTER TABLE custmers ADD COLUMN IF NOT EXISTS nickname text;
