-- People who sign in to the dashboard, and what they changed.

-- One row, of the administrator: a hash of what they know, and that of a link that
-- signs in once. Either may be empty.
CREATE TABLE admin (
    id           TEXT   PRIMARY KEY,
    hashed       TEXT   NOT NULL,
    link         TEXT   NOT NULL,
    link_expires BIGINT NOT NULL,
    updated      BIGINT NOT NULL
);

CREATE TABLE sessions (
    hash    TEXT   PRIMARY KEY,
    subject TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    role    TEXT   NOT NULL,
    created BIGINT NOT NULL,
    seen    BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX sessions_by_expiry ON sessions (expires);
CREATE INDEX sessions_of_subject ON sessions (subject);

CREATE TABLE audit (
    id         TEXT   PRIMARY KEY,
    project_id TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    subject    TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    details    TEXT   NOT NULL
);
CREATE INDEX audit_of_project ON audit (project_id, id);
