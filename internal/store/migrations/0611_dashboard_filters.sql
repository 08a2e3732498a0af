-- Filters of the dashboard's lists that choose few of many rows.

CREATE INDEX operations_by_object_and_status ON operations (project_id, object, status, id);

CREATE INDEX batches_of_installation ON batches (installation_id, id);
CREATE INDEX batches_failed ON batches (project_id, id) WHERE status = 'failed';
CREATE INDEX batches_pending ON batches (project_id, id) WHERE status = 'pending';
