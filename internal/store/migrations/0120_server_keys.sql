-- Keys that all processes of this database share, by what they are for: each is made
-- at random by the first that asks for it.

CREATE TABLE server_keys (
    name   TEXT  PRIMARY KEY,
    sealed BYTEA NOT NULL -- sealed
);
