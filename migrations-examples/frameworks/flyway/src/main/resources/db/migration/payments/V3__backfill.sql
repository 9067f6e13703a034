UPDATE ${schema}.orders SET note = '' WHERE note IS NULL;
