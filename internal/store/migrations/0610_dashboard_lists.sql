-- The dashboard's lists: each is read in the order of its ids, a page at a time,
-- and searched by texts that all stand in an index.

DROP INDEX installations_of_project;
CREATE INDEX installations_of_project ON installations (project_id, id, group_ref, connection_id);
CREATE INDEX installations_unhealthy ON installations (project_id, id) WHERE NOT healthy;
CREATE INDEX groups_by_name ON groups (project_id, ref, name);
CREATE INDEX connections_of_project ON connections (project_id, id, status, group_ref, workspace);

CREATE INDEX operations_by_status ON operations (project_id, status, id);
CREATE INDEX operations_by_object ON operations (project_id, object, id);
CREATE INDEX operations_of_object ON operations (installation_id, object, id);
