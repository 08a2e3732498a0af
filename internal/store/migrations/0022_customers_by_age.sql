-- How many customers were added lately is counted before another one is added
-- from a browser.

CREATE INDEX groups_by_age ON groups (project_id, created);
CREATE INDEX consumers_by_age ON consumers (project_id, created);
