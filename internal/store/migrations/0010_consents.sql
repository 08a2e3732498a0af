-- Whose a pending consent is, so that they can be limited; and from which pages a
-- project's consents may begin.
ALTER TABLE connect_states ADD COLUMN project_id TEXT NOT NULL DEFAULT '';
ALTER TABLE connect_states ADD COLUMN group_ref TEXT NOT NULL DEFAULT '';
CREATE INDEX connect_states_by_owner ON connect_states (project_id, group_ref);

ALTER TABLE projects ADD COLUMN origins TEXT NOT NULL DEFAULT '';
