-- As 0023_names_in_any_case.sql, for what did not exist there yet.

ALTER TABLE topics ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
UPDATE topics SET name_key = CASE
    WHEN EXISTS (SELECT 1 FROM topics o WHERE lower(o.name) = lower(topics.name) AND o.id < topics.id AND o.project_id = topics.project_id) THEN name || '/' || id
    ELSE lower(name) END;
CREATE UNIQUE INDEX topics_by_name_key ON topics (project_id, name_key);
