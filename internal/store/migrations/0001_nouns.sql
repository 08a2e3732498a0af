-- One SQL for SQLite and PostgreSQL. Times are microseconds since 1970 in UTC,
-- and 0 where there is none; lists and maps are JSON in TEXT; what is sealed is
-- BYTEA, and stands in the table of sealed.go.

CREATE TABLE projects (
    id       TEXT   PRIMARY KEY,
    name     TEXT   NOT NULL UNIQUE,
    app_name TEXT   NOT NULL,
    org_id   TEXT   NOT NULL,
    created  BIGINT NOT NULL,
    updated  BIGINT NOT NULL
);

CREATE TABLE provider_apps (
    id            TEXT   PRIMARY KEY,
    project_id    TEXT   NOT NULL REFERENCES projects (id),
    external_ref  TEXT   NOT NULL,
    provider      TEXT   NOT NULL,
    client_id     TEXT   NOT NULL,
    client_secret BYTEA  NOT NULL, -- sealed
    scopes        TEXT   NOT NULL,
    auth_params   TEXT   NOT NULL,
    params        TEXT   NOT NULL,
    hourly_limit  BIGINT NOT NULL,
    created       BIGINT NOT NULL,
    updated       BIGINT NOT NULL,
    UNIQUE (project_id, provider, client_id)
);

CREATE TABLE integrations (
    id              TEXT   PRIMARY KEY,
    project_id      TEXT   NOT NULL REFERENCES projects (id),
    name            TEXT   NOT NULL,
    provider        TEXT   NOT NULL,
    latest_revision TEXT   NOT NULL, -- the id of one of its revisions
    created         BIGINT NOT NULL,
    updated         BIGINT NOT NULL,
    UNIQUE (project_id, name)
);

CREATE TABLE revisions (
    id             TEXT   PRIMARY KEY,
    integration_id TEXT   NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    spec_version   TEXT   NOT NULL,
    content        TEXT   NOT NULL,
    created        BIGINT NOT NULL
);
CREATE INDEX revisions_of_integration ON revisions (integration_id, id);

CREATE TABLE groups (
    project_id TEXT   NOT NULL REFERENCES projects (id),
    ref        TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    created    BIGINT NOT NULL,
    updated    BIGINT NOT NULL,
    PRIMARY KEY (project_id, ref)
);

CREATE TABLE consumers (
    project_id TEXT   NOT NULL REFERENCES projects (id),
    ref        TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    created    BIGINT NOT NULL,
    updated    BIGINT NOT NULL,
    PRIMARY KEY (project_id, ref)
);

CREATE TABLE connect_states (
    hash    TEXT   PRIMARY KEY,
    data    BYTEA  NOT NULL, -- sealed
    expires BIGINT NOT NULL
);
CREATE INDEX connect_states_by_age ON connect_states (expires);

CREATE TABLE connections (
    id                    TEXT   PRIMARY KEY,
    project_id            TEXT   NOT NULL,
    provider              TEXT   NOT NULL,
    provider_app_id       TEXT   REFERENCES provider_apps (id),
    group_ref             TEXT   NOT NULL,
    consumer_ref          TEXT,
    workspace             TEXT   NOT NULL,
    provider_consumer_ref TEXT   NOT NULL,
    metadata              TEXT   NOT NULL,
    scheme                TEXT   NOT NULL,
    status                TEXT   NOT NULL,
    status_reason         TEXT   NOT NULL,
    scopes                TEXT   NOT NULL,
    used                  BIGINT NOT NULL,
    created               BIGINT NOT NULL,
    updated               BIGINT NOT NULL,
    FOREIGN KEY (project_id, group_ref) REFERENCES groups (project_id, ref),
    FOREIGN KEY (project_id, consumer_ref) REFERENCES consumers (project_id, ref)
);
CREATE INDEX connections_of_group ON connections (project_id, group_ref);
CREATE INDEX connections_of_app ON connections (provider_app_id);

-- A connection's secrets, beside it so that lists do not drag them along. This
-- row is also what a refresh leases (invariant 4). A transaction that writes it, but for
-- taking the lease, locks the connection's row first.
CREATE TABLE credentials (
    connection_id TEXT   PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    sealed        BYTEA  NOT NULL, -- sealed
    version       BIGINT NOT NULL,
    lease_holder  TEXT   NOT NULL DEFAULT '',
    lease_until   BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE installations (
    id                TEXT    PRIMARY KEY,
    project_id        TEXT    NOT NULL,
    integration_id    TEXT    NOT NULL REFERENCES integrations (id),
    group_ref         TEXT    NOT NULL,
    connection_id     TEXT    NOT NULL REFERENCES connections (id),
    config_id         TEXT    NOT NULL,
    revision_id       TEXT    NOT NULL,
    content           TEXT    NOT NULL,
    config_created_by TEXT    NOT NULL,
    config_created    BIGINT  NOT NULL,
    created_by        TEXT    NOT NULL,
    healthy           BOOLEAN NOT NULL,
    last_status       TEXT    NOT NULL,
    created           BIGINT  NOT NULL,
    updated           BIGINT  NOT NULL,
    UNIQUE (integration_id, group_ref),
    FOREIGN KEY (project_id, group_ref) REFERENCES groups (project_id, ref)
);
CREATE INDEX installations_of_project ON installations (project_id, id);
CREATE INDEX installations_of_integration ON installations (integration_id, id);
CREATE INDEX installations_of_connection ON installations (connection_id, id);

CREATE TABLE schedules (
    id              TEXT    PRIMARY KEY,
    kind            TEXT    NOT NULL,
    project_id      TEXT    NOT NULL,
    installation_id TEXT    REFERENCES installations (id) ON DELETE CASCADE,
    object          TEXT    NOT NULL,
    cron            TEXT    NOT NULL,
    next            BIGINT  NOT NULL,
    paused          BOOLEAN NOT NULL
);
CREATE INDEX schedules_due ON schedules (next) WHERE NOT paused;
CREATE INDEX schedules_of_installation ON schedules (installation_id);

CREATE TABLE destinations (
    id         TEXT    PRIMARY KEY,
    project_id TEXT    NOT NULL REFERENCES projects (id),
    name       TEXT    NOT NULL,
    type       TEXT    NOT NULL,
    url        TEXT    NOT NULL,
    headers    BYTEA   NOT NULL, -- sealed: they may authorize
    metadata   BYTEA   NOT NULL, -- sealed: it repeats the headers
    secrets    BYTEA   NOT NULL, -- sealed
    disabled   BOOLEAN NOT NULL,
    created    BIGINT  NOT NULL,
    updated    BIGINT  NOT NULL,
    UNIQUE (project_id, name)
);

CREATE TABLE api_keys (
    id         TEXT    PRIMARY KEY,
    project_id TEXT    NOT NULL REFERENCES projects (id),
    hash       TEXT    NOT NULL UNIQUE, -- SHA-256 in hex: the key itself is kept nowhere
    label      TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,
    active     BOOLEAN NOT NULL,
    created    BIGINT  NOT NULL,
    updated    BIGINT  NOT NULL
);
CREATE INDEX api_keys_of_project ON api_keys (project_id, id);

CREATE TABLE jwt_keys (
    id         TEXT    PRIMARY KEY,
    project_id TEXT    NOT NULL REFERENCES projects (id),
    label      TEXT    NOT NULL,
    algorithm  TEXT    NOT NULL,
    public_key TEXT    NOT NULL,
    active     BOOLEAN NOT NULL,
    created    BIGINT  NOT NULL,
    updated    BIGINT  NOT NULL
);
CREATE INDEX jwt_keys_of_project ON jwt_keys (project_id, id);

CREATE TABLE uploads (
    id         TEXT   PRIMARY KEY,
    token_hash TEXT   NOT NULL,
    md5        TEXT   NOT NULL,
    expires    BIGINT NOT NULL,
    data       BYTEA -- NULL until it arrives
);
CREATE INDEX uploads_by_age ON uploads (expires);

-- One row for each key of the keyset that sealed values may be under, with a
-- value sealed under it: a keyset that cannot open it is the wrong one.
CREATE TABLE seals (
    key_id BIGINT PRIMARY KEY,
    canary BYTEA  NOT NULL, -- sealed
    made   BIGINT NOT NULL
);
