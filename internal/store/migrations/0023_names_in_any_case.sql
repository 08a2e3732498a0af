-- Names that differ in capitals alone are the same. Where several are there already
-- the oldest has the name, and the others a key that no name can be (it has a slash).

ALTER TABLE projects ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
UPDATE projects SET name_key = CASE
    WHEN EXISTS (SELECT 1 FROM projects o WHERE lower(o.name) = lower(projects.name) AND o.id < projects.id) THEN name || '/' || id
    ELSE lower(name) END;
CREATE UNIQUE INDEX projects_by_name_key ON projects (name_key);

ALTER TABLE destinations ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
UPDATE destinations SET name_key = CASE
    WHEN EXISTS (SELECT 1 FROM destinations o WHERE lower(o.name) = lower(destinations.name) AND o.id < destinations.id AND o.project_id = destinations.project_id) THEN name || '/' || id
    ELSE lower(name) END;
CREATE UNIQUE INDEX destinations_by_name_key ON destinations (project_id, name_key);
