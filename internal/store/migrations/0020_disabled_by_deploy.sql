-- The objects that a destructive deploy disabled in installations' configs: a
-- later deploy that has them again enables these, and no others.

CREATE TABLE disabled_by_deploy (
    installation_id TEXT   NOT NULL REFERENCES installations (id) ON DELETE CASCADE,
    object          TEXT   NOT NULL,
    created         BIGINT NOT NULL,
    PRIMARY KEY (installation_id, object)
);
