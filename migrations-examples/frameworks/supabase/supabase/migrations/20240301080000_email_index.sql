-- Good: alone, it takes effect by itself.
create index concurrently customers_email_idx on public.customers (email);
