-- The log's names: the first, and one for each successor that was opened because leaves and hashes were lost. Heads up to kept belong to
-- the name before.
CREATE TABLE log_name (
    number     integer PRIMARY KEY,
    origin     text NOT NULL,
    log_id     bytea NOT NULL UNIQUE,
    kept       bigint NOT NULL,
    ended_size bigint,
    ended_root bytea,
    notice     text,
    opened     timestamptz NOT NULL,
    on_chain   boolean NOT NULL
);

-- Leaves whose rows were lost with a database that was restored from a backup. Their hashes, from the log's files, keep the tree whole.
CREATE TABLE log_gap (
    from_position bigint PRIMARY KEY,
    to_position   bigint NOT NULL,
    leaf_hashes   bytea NOT NULL,
    notice        text NOT NULL,
    noticed       timestamptz NOT NULL
);
