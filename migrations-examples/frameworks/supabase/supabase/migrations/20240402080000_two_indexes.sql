-- Bad: the second is refused in a batch, and the first may be left invalid.
create index concurrently customers_lower_idx on public.customers (lower(email));
create index concurrently customers_id_email_idx on public.customers (id, email);
