-- atlas:txmode none
-- Bad: without an empty line behind it, Atlas does not take the line above for a directive.
CREATE INDEX CONCURRENTLY "customers_lower_idx" ON "customers" (lower("email"));
