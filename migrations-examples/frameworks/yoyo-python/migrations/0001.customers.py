from yoyo import step

steps = [step("CREATE TABLE customers (id bigint PRIMARY KEY, email text)", "DROP TABLE customers")]
