-- Messages of one lane that have records in common keep their order (ADR 0017).

-- 0: never tried. 1: refused, or to be delivered once more. 2: held back, because
-- one of its records is in an earlier message that waits.
ALTER TABLE batches ADD COLUMN waits BIGINT NOT NULL DEFAULT 0;
-- How often it was asked to be delivered once more after it had been settled.
ALTER TABLE batches ADD COLUMN replays BIGINT NOT NULL DEFAULT 0;
-- Four bytes for each record of the message.
ALTER TABLE batch_bodies ADD COLUMN keys BYTEA NOT NULL DEFAULT '';

UPDATE batches SET waits = 1 WHERE status = 'pending' AND attempts > 0;
CREATE INDEX batches_waiting ON batches (destination_id, lane, seq) WHERE status = 'pending' AND waits > 0;
