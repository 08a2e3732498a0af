-- What there is to know of a write beside its operation, and the records that are
-- still to be written. Both end with the write; the operation stays.
CREATE TABLE writes (
    operation_id TEXT    PRIMARY KEY REFERENCES operations (id) ON DELETE CASCADE,
    type         TEXT    NOT NULL,
    mode         TEXT    NOT NULL,
    batch        BOOLEAN NOT NULL,
    deadline     BIGINT  NOT NULL,
    collects     TEXT    NOT NULL,
    size         BIGINT  NOT NULL
);
-- A request that may join a write finds one, however many come at once.
CREATE UNIQUE INDEX writes_collecting ON writes (collects) WHERE collects <> '';

-- record is whatever the product sent.
CREATE TABLE write_records (
    id           TEXT   PRIMARY KEY,
    operation_id TEXT   NOT NULL REFERENCES writes (operation_id) ON DELETE CASCADE,
    position     BIGINT NOT NULL,
    record       BYTEA  NOT NULL, -- sealed: it may hold secrets
    record_id    TEXT   NOT NULL,
    status       TEXT   NOT NULL,
    sent         BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    error        TEXT   NOT NULL,
    UNIQUE (operation_id, position)
);

-- The keys by which requests that were sent again are recognized. sealed holds the
-- request's fingerprint and the first answer.
CREATE TABLE write_keys (
    id           TEXT   PRIMARY KEY,
    operation_id TEXT   NOT NULL,
    sealed       BYTEA  NOT NULL, -- sealed
    began        BIGINT NOT NULL,
    expires      BIGINT NOT NULL
);
CREATE INDEX write_keys_by_age ON write_keys (expires);
