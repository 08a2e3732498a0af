-- The parts of reads that are under way and whose object is below another: one for
-- the list of the uppermost parents, and one for what is below each parent. They go
-- when the read ends.
CREATE TABLE read_units (
    operation_id TEXT   NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    object       TEXT   NOT NULL, -- what is read: the read's object, or one above it
    parent_id    TEXT   NOT NULL, -- below which record; empty for none
    position     BIGINT NOT NULL, -- in the order in which the parents were listed
    parent_keys  TEXT   NOT NULL, -- what else names the parent to the provider
    since        BIGINT NOT NULL,
    cursor       TEXT   NOT NULL,
    pass         BIGINT NOT NULL, -- how often it was begun again
    status       TEXT   NOT NULL,
    PRIMARY KEY (operation_id, object, parent_id)
);
CREATE INDEX read_units_open ON read_units (operation_id, position) WHERE status = 'open';

-- What read_marks has of an object, for each parent of one that is below another.
CREATE TABLE parent_marks (
    installation_id TEXT   NOT NULL REFERENCES installations (id) ON DELETE CASCADE,
    object          TEXT   NOT NULL,
    parent_id       TEXT   NOT NULL,
    mark            BIGINT NOT NULL, -- when the last complete read below it started; 0 when there was none
    status          TEXT   NOT NULL, -- how the last read below it ended
    updated         BIGINT NOT NULL,
    PRIMARY KEY (installation_id, object, parent_id)
);
