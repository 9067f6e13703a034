--liquibase formatted sql

--changeset ann:customers-1 dbms:postgresql endDelimiter:// rollbackEndDelimiter:;
CREATE TABLE customers (id bigint PRIMARY KEY, email text)
//
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NEW;
END
$$
//
/* liquibase rollback
DROP FUNCTION touch();
DROP TABLE customers;
*/

--changeset ann:customers-mysql dbms:mysql
ALTER TABLE customers ENGINE = InnoDB;
