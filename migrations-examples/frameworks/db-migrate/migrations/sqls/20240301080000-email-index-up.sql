/* Replace with your SQL commands */
CREATE INDEX people_email ON people (email);
