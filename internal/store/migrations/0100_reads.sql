-- An operation outlives the installation that it belonged to, so that what
-- happened can still be read: it refers to nothing. lease_holder and lease_until
-- say who carries it on: nothing else may move its cursor (invariant 1).
CREATE TABLE operations (
    id              TEXT    PRIMARY KEY,
    project_id      TEXT    NOT NULL,
    integration_id  TEXT    NOT NULL,
    installation_id TEXT    NOT NULL,
    config_id       TEXT    NOT NULL,
    revision_id     TEXT    NOT NULL,
    workspace       TEXT    NOT NULL,
    object          TEXT    NOT NULL,
    action          TEXT    NOT NULL,
    began_by        TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    result          TEXT    NOT NULL,
    since           BIGINT  NOT NULL,
    until           BIGINT  NOT NULL,
    cursor          TEXT    NOT NULL,
    pages           BIGINT  NOT NULL,
    records         BIGINT  NOT NULL,
    batches         BIGINT  NOT NULL,
    requests        BIGINT  NOT NULL,
    walked          BIGINT  NOT NULL,
    estimate        BIGINT  NOT NULL,
    restarts        BIGINT  NOT NULL,
    whole           BOOLEAN NOT NULL,
    wait_until      BIGINT  NOT NULL,
    attempt         BIGINT  NOT NULL,
    created         BIGINT  NOT NULL,
    started         BIGINT  NOT NULL,
    ended           BIGINT  NOT NULL,
    updated         BIGINT  NOT NULL,
    lease_holder    TEXT    NOT NULL DEFAULT '',
    lease_until     BIGINT  NOT NULL DEFAULT 0
);
-- A read that still runs when its next tick comes is not started twice.
CREATE UNIQUE INDEX operations_running_read ON operations (installation_id, object)
    WHERE action = 'read' AND status = 'in_progress';
CREATE INDEX operations_of_installation ON operations (installation_id, id);
CREATE INDEX operations_of_project ON operations (project_id, id);
CREATE INDEX operations_running ON operations (updated) WHERE status = 'in_progress';
CREATE INDEX operations_by_age ON operations (ended) WHERE ended > 0;

-- The configs that operations began with, once each: an installation keeps only
-- its present one.
CREATE TABLE operation_configs (
    id      TEXT   PRIMARY KEY,
    content TEXT   NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX operations_of_config ON operations (config_id);

CREATE TABLE operation_logs (
    id           TEXT   PRIMARY KEY,
    operation_id TEXT   NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    time         BIGINT NOT NULL,
    severity     TEXT   NOT NULL,
    message      TEXT   NOT NULL,
    details      TEXT   NOT NULL
);
CREATE INDEX operation_logs_of_operation ON operation_logs (operation_id, time, id);

CREATE TABLE read_marks (
    installation_id TEXT    NOT NULL REFERENCES installations (id) ON DELETE CASCADE,
    object          TEXT    NOT NULL,
    workspace       TEXT    NOT NULL DEFAULT '',
    mark            BIGINT  NOT NULL DEFAULT 0,
    failures        BIGINT  NOT NULL DEFAULT 0,
    paused          BOOLEAN NOT NULL DEFAULT FALSE,
    reason          TEXT    NOT NULL DEFAULT '',
    updated         BIGINT  NOT NULL,
    PRIMARY KEY (installation_id, object)
);

-- Records delivered since the time that the next incremental read begins at.
CREATE TABLE seen_records (
    installation_id TEXT   NOT NULL REFERENCES installations (id) ON DELETE CASCADE,
    object          TEXT   NOT NULL,
    record_id       TEXT   NOT NULL,
    updated         BIGINT NOT NULL,
    PRIMARY KEY (installation_id, object, record_id)
);

CREATE TABLE large_records (
    id         TEXT   PRIMARY KEY,
    project_id TEXT   NOT NULL,
    batch_id   TEXT   NOT NULL,
    token_hash TEXT   NOT NULL,
    body       BYTEA  NOT NULL,
    created    BIGINT NOT NULL
);
CREATE INDEX large_records_by_age ON large_records (created);
