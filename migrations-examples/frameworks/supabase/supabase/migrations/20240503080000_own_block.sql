-- Bad: the file opens a transaction of its own.
begin;
create index concurrently customers_email_id_idx on public.customers (email, id);
commit;
