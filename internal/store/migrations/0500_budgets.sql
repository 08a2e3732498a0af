-- What is shared of the requests that a provider allows. A key is whom the
-- provider counts: a provider app, or a connection. Its row is also the lock under
-- which grants are added up and made.

CREATE TABLE budgets (
    key     TEXT   PRIMARY KEY,
    allowed BIGINT NOT NULL DEFAULT 0, -- requests an hour, as the provider says; 0: it does not
    blocked BIGINT NOT NULL DEFAULT 0
);

-- Only its holder writes to a row, so a request that may have been sent counts
-- for its hour even when the holder has died.
CREATE TABLE budget_grants (
    key                 TEXT   NOT NULL,
    minute              BIGINT NOT NULL, -- since 1970
    holder              TEXT   NOT NULL,
    interactive         BIGINT NOT NULL DEFAULT 0,
    scheduled           BIGINT NOT NULL DEFAULT 0,
    backfill            BIGINT NOT NULL DEFAULT 0,
    waiting_interactive BIGINT NOT NULL DEFAULT 0,
    waiting_scheduled   BIGINT NOT NULL DEFAULT 0,
    waiting_backfill    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (key, minute, holder)
);
CREATE INDEX budget_grants_by_age ON budget_grants (minute);
