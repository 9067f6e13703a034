--! Previous: sha1:0a3f9c7f2d6b1e5a8c4d7e9f0b2a4c6d8e1f3a5b
--! Hash: sha1:7c1d5b9e3f8a2c6d0e4b7f1a5c9d3e8b2f6a0c4d

--! no-transaction
CREATE UNIQUE INDEX CONCURRENTLY people_email_key ON people (email);
