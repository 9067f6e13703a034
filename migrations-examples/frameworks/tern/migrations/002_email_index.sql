---- tern: disable-tx ----
CREATE UNIQUE INDEX CONCURRENTLY people_email_key ON people (email);

---- create above / drop below ----

DROP INDEX CONCURRENTLY people_email_key;
