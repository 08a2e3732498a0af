-- When the block of a budget was seen, by the clock that its end was reckoned by: a clock
-- that is set back is recognized by it. 0 where that is not known.

ALTER TABLE budgets ADD COLUMN blocked_at BIGINT NOT NULL DEFAULT 0;
