-- The tables of pgbench, as `pgbench -i` makes them, and one of our own that has what an upsert and an enum need.
CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88));
CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84));
CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));

CREATE TYPE transfer_kind AS ENUM ('card', 'cash', 'cheque');
CREATE TABLE transfers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference text NOT NULL CONSTRAINT transfers_reference_key UNIQUE,
    aid int NOT NULL REFERENCES pgbench_accounts,
    amount numeric(12, 2) NOT NULL,
    kind transfer_kind NOT NULL,
    state text NOT NULL CONSTRAINT transfers_state_check CHECK (state IN ('new', 'booked', 'rejected')),
    created_at timestamptz NOT NULL DEFAULT now()
);
