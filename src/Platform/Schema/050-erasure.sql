-- Where erased leaves stood, for a quick answer. What counts is the signed notice in the log, which entry names.
CREATE TABLE erasure (
    entry     text PRIMARY KEY,
    positions int8multirange NOT NULL,
    made      timestamptz NOT NULL
);
CREATE INDEX erasure_positions ON erasure USING gist (positions);
CREATE INDEX erasure_made ON erasure (made DESC);

-- Sealed files to be removed, each until it is gone.
CREATE TABLE blob_removal (
    hash   bytea PRIMARY KEY,
    queued timestamptz NOT NULL
);
