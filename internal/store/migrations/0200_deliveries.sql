-- What is on its way to destinations, and what became of it.

CREATE TABLE batches (
    id              TEXT   PRIMARY KEY, -- a UUID of version 7: in the order of time
    project_id      TEXT   NOT NULL,
    destination_id  TEXT   NOT NULL REFERENCES destinations (id) ON DELETE CASCADE,
    installation_id TEXT   NOT NULL,
    operation_id    TEXT   NOT NULL,
    object          TEXT   NOT NULL,
    kind            TEXT   NOT NULL,
    lane            TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    records         BIGINT NOT NULL,
    size            BIGINT NOT NULL, -- of the body as it is sent
    status          TEXT   NOT NULL,
    next_attempt    BIGINT NOT NULL,
    attempts        BIGINT NOT NULL,
    tries           BIGINT NOT NULL,
    created         BIGINT NOT NULL,
    updated         BIGINT NOT NULL
);
CREATE INDEX batches_due ON batches (destination_id, lane, next_attempt, seq) WHERE status = 'pending';
CREATE INDEX batches_of_destination ON batches (destination_id, id);
CREATE INDEX batches_of_project ON batches (project_id, id);
CREATE INDEX batches_of_operation ON batches (operation_id, id) WHERE operation_id <> '';

-- The bodies stand apart, so that recording an attempt does not write them anew.
-- The first byte says how the rest is packed.
CREATE TABLE batch_bodies (
    batch_id TEXT  PRIMARY KEY REFERENCES batches (id) ON DELETE CASCADE,
    body     BYTEA NOT NULL
);

CREATE TABLE attempts (
    batch_id TEXT   NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    number   BIGINT NOT NULL,
    time     BIGINT NOT NULL,
    status   BIGINT NOT NULL,
    latency  BIGINT NOT NULL, -- microseconds
    error    TEXT   NOT NULL,
    answer   TEXT   NOT NULL,
    PRIMARY KEY (batch_id, number)
);

-- A lane is what arrives in order. A transaction that changes due locks the row first, so
-- that a batch that is being added is not overlooked.
CREATE TABLE lanes (
    destination_id TEXT   NOT NULL REFERENCES destinations (id) ON DELETE CASCADE,
    name           TEXT   NOT NULL,
    seq            BIGINT NOT NULL, -- the last that was given out
    newest         BIGINT NOT NULL, -- the latest time that a new batch was due at
    due            BIGINT NOT NULL, -- when its next pending batch is due; 0 without one
    PRIMARY KEY (destination_id, name)
);
CREATE INDEX lanes_due ON lanes (destination_id, due) WHERE due > 0;

-- This row is also the lease of the process that sends to the destination. It comes to be
-- with the first delivery.
CREATE TABLE destination_health (
    destination_id TEXT   PRIMARY KEY REFERENCES destinations (id) ON DELETE CASCADE,
    failures       BIGINT NOT NULL,
    failing_since  BIGINT NOT NULL,
    hold_until     BIGINT NOT NULL,
    lease_holder   TEXT   NOT NULL,
    lease_until    BIGINT NOT NULL
);
