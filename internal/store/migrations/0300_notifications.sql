-- Which notifications go where: event → topic → destination.

CREATE TABLE topics (
    id         TEXT   PRIMARY KEY,
    project_id TEXT   NOT NULL REFERENCES projects (id),
    name       TEXT   NOT NULL,
    created    BIGINT NOT NULL,
    updated    BIGINT NOT NULL,
    UNIQUE (project_id, name)
);

CREATE TABLE event_routes (
    id         TEXT   PRIMARY KEY,
    project_id TEXT   NOT NULL,
    event      TEXT   NOT NULL,
    topic_id   TEXT   NOT NULL REFERENCES topics (id) ON DELETE CASCADE,
    created    BIGINT NOT NULL,
    updated    BIGINT NOT NULL,
    UNIQUE (project_id, event, topic_id)
);
CREATE INDEX event_routes_of_topic ON event_routes (topic_id);

CREATE TABLE topic_routes (
    id             TEXT   PRIMARY KEY,
    project_id     TEXT   NOT NULL,
    topic_id       TEXT   NOT NULL REFERENCES topics (id) ON DELETE CASCADE,
    destination_id TEXT   NOT NULL REFERENCES destinations (id) ON DELETE CASCADE,
    created        BIGINT NOT NULL,
    UNIQUE (topic_id, destination_id)
);
CREATE INDEX topic_routes_of_project ON topic_routes (project_id, id);
CREATE INDEX topic_routes_of_destination ON topic_routes (destination_id);
