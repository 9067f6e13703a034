-- // the people that buy
-- Migration SQL that makes the change goes here.
CREATE TABLE ${team} (
    id bigint PRIMARY KEY,
    email text
);

-- //@UNDO
-- SQL to undo the change goes here.
DROP TABLE ${team};
