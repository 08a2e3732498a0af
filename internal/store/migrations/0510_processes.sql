-- The processes that work on this database. Each holds the advisory lock of its
-- number for as long as its session lives, so that the others see at once when it
-- is killed. Unused on SQLite, which has only one process.

CREATE TABLE processes (
    id     TEXT   PRIMARY KEY, -- what its leases begin with
    number BIGINT NOT NULL
);

-- What a process holds is found by this when it is gone.
CREATE INDEX operations_by_lease ON operations (lease_holder) WHERE lease_holder <> '';
CREATE INDEX credentials_by_lease ON credentials (lease_holder) WHERE lease_holder <> '';
