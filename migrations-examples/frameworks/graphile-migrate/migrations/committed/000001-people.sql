--! Previous: -
--! Hash: sha1:0a3f9c7f2d6b1e5a8c4d7e9f0b2a4c6d8e1f3a5b

CREATE TABLE people (id bigint PRIMARY KEY, email text NOT NULL);
