-- Good: alone in its file, so no transaction block.
CREATE UNIQUE INDEX CONCURRENTLY "Customer_email_key" ON "Customer"("email");
