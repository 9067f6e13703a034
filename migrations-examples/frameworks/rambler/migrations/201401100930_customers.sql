-- rambler up

CREATE TABLE people (
    id bigint PRIMARY KEY,
    email text
);

-- rambler up

CREATE TABLE teams (id bigint PRIMARY KEY);

-- rambler down

DROP TABLE teams;

-- rambler down

DROP TABLE people;
