-- A link in the confirmation mail needs a secret for every order.
ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();

-- A constant default, on the other hand, touches no row.
ALTER TABLE orders ADD COLUMN gift boolean NOT NULL DEFAULT false;
