-- What checks find that bring nothing: they leave no operation.
ALTER TABLE read_marks ADD COLUMN checks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE read_marks ADD COLUMN last_check BIGINT NOT NULL DEFAULT 0;

-- Reads are claimed apart from the server's own schedules, which must not wait
-- behind a hundred thousand of them.
DROP INDEX schedules_due;
CREATE INDEX schedules_due_reads ON schedules (next) WHERE NOT paused AND kind = 'read';
CREATE INDEX schedules_due_others ON schedules (next) WHERE NOT paused AND kind <> 'read';
