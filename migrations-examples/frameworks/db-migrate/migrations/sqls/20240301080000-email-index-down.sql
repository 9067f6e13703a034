/* Replace with your SQL commands */
DROP INDEX people_email;
