CREATE TABLE public.orders (
    id bigint NOT NULL,
    inserted_at timestamp(0) without time zone NOT NULL
);
