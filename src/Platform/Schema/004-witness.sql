-- The logs of other members that this node cosigns: the largest consistent checkpoint of each that it has seen.
CREATE TABLE witnessed_log (
    origin text PRIMARY KEY,
    key    text NOT NULL,
    size   bigint NOT NULL,
    root   bytea NOT NULL,
    note   text,
    seen   timestamptz
);
