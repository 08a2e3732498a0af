-- An upload can be deployed by the project whose key asked for it; what the
-- operator uploads belongs to none, and is the operator's to deploy.

ALTER TABLE uploads ADD COLUMN project_id TEXT NOT NULL DEFAULT '';
