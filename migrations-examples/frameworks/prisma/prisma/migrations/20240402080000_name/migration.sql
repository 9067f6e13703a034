-- Bad: two statements in one string are a transaction block.
ALTER TABLE "Customer" ADD COLUMN "name" TEXT;
CREATE INDEX CONCURRENTLY "Customer_name_idx" ON "Customer"("name");
