DROP TABLE ${schema}.payments;
