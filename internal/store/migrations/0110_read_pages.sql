-- The pages of reads that are under way, with the identities of their records:
-- what tells whether a read is complete, and which records came twice. They go
-- when the read ends.
CREATE TABLE read_pages (
    operation_id TEXT    NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    number       BIGINT  NOT NULL,
    pass         BIGINT  NOT NULL,
    began        BIGINT  NOT NULL,
    keyed        BOOLEAN NOT NULL,
    gave_way     BOOLEAN NOT NULL,
    interrupted  BOOLEAN NOT NULL,
    size         BIGINT  NOT NULL,
    records      BYTEA   NOT NULL,
    PRIMARY KEY (operation_id, number)
);
