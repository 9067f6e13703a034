-- Good: each is sent by itself, and stays if a later statement fails.
create index concurrently customers_lower_idx on public.customers (lower(email));
create index concurrently customers_id_email_idx on public.customers (id, email);
