-- Bulk exports that were asked for. What was asked for lies sealed in the request; a job names no patient and holds no record: its files are
-- ranges of ids, opened when they are fetched.
CREATE TABLE export_job (
    id      uuid PRIMARY KEY,
    account uuid NOT NULL,
    state   smallint NOT NULL,
    reason  text,
    asked   timestamptz NOT NULL,
    ended   timestamptz,
    request bytea NOT NULL,
    -- The first transaction that may be passed over: all that had begun before the moment exported must have ended.
    barrier xid8,
    touched timestamptz NOT NULL,
    -- The place up to which records were gone through.
    type    text,
    after   text NOT NULL DEFAULT '',
    records bigint NOT NULL DEFAULT 0
);
CREATE INDEX export_job_account ON export_job (account);

CREATE TABLE export_file (
    job     uuid NOT NULL REFERENCES export_job ON DELETE CASCADE,
    number  integer NOT NULL,
    type    text NOT NULL,
    after   text NOT NULL,
    upto    text NOT NULL,
    records integer NOT NULL,
    -- Ids of records that did not open.
    altered text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (job, number)
);
