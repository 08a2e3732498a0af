-- Why a destination is disabled, since when, and who did it where a person did. Empty
-- for one that was disabled before this was kept.

ALTER TABLE destinations ADD COLUMN disabled_why TEXT NOT NULL DEFAULT '';
ALTER TABLE destinations ADD COLUMN disabled_by TEXT NOT NULL DEFAULT '';
ALTER TABLE destinations ADD COLUMN disabled_at BIGINT NOT NULL DEFAULT 0;
