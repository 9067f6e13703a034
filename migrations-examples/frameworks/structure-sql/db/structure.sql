SET statement_timeout = 0;

CREATE TABLE public.customers (
    id bigint NOT NULL,
    email character varying NOT NULL
);

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);
