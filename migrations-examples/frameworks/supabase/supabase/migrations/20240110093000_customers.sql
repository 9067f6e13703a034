create table public.customers (id bigint primary key, email text not null);
alter table public.customers enable row level security;
