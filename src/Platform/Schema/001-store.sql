CREATE TABLE vault_epoch (
    epoch     integer PRIMARY KEY,
    wrapped   bytea,
    created   timestamptz NOT NULL,
    destroyed timestamptz
);

CREATE TABLE vault_owner (
    id      uuid PRIMARY KEY,
    kind    smallint NOT NULL,
    epoch   integer NOT NULL REFERENCES vault_epoch,
    wrapped bytea,
    created timestamptz NOT NULL,
    erased  timestamptz
);

-- Every version of everything, sealed. A row never changes. Its owner is a row of vault_owner, which is never deleted: nothing is sealed without having read
-- it, and to look for it again would cost as much as to write the row.
CREATE TABLE entry (
    type       text NOT NULL,
    id         text NOT NULL,
    version    integer NOT NULL,
    kind       smallint NOT NULL,
    owner      uuid NOT NULL,
    patient    text,
    written    timestamptz NOT NULL,
    deleted    boolean NOT NULL,
    content    bytea NOT NULL,
    sealed     bytea NOT NULL,
    blob       bytea,
    ciphertext bytea NOT NULL,
    PRIMARY KEY (type, id, version)
);
ALTER TABLE entry ALTER COLUMN ciphertext SET STORAGE EXTERNAL;
-- What is found by its key alone needs no fresh statistics.
ALTER TABLE entry SET (autovacuum_analyze_scale_factor = 0.5, autovacuum_analyze_threshold = 10000);
CREATE INDEX entry_deleted ON entry (written, id) WHERE deleted;
CREATE INDEX entry_patient ON entry (patient, type, written) WHERE patient IS NOT NULL;

-- Where a patient's record lives: the key it is sealed under.
CREATE TABLE patient (
    id      text PRIMARY KEY,
    owner   uuid NOT NULL REFERENCES vault_owner,
    alias   text NOT NULL UNIQUE,
    created timestamptz NOT NULL
);

-- Whoever writes into patients' records holds them until the transaction ends; one that is not known refuses the whole transaction.
CREATE FUNCTION hold_patients(ids text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    held integer;
BEGIN
    PERFORM 1 FROM patient WHERE id = ANY(ids) ORDER BY id FOR KEY SHARE;
    GET DIAGNOSTICS held = ROW_COUNT;
    IF held < cardinality(ids) THEN
        RAISE EXCEPTION USING ERRCODE = 'no_data_found', MESSAGE = 'a patient is not known';
    END IF;
END $$;

-- What the newest version is found by, a row for each resource that is there: keyed hashes of resource type, search parameter and value,
-- and short ones of the parameters that have a value at all, all under the key of that number.
CREATE TABLE search_value (
    type    text NOT NULL,
    id      text NOT NULL,
    patient text,
    written timestamptz NOT NULL,
    key     integer NOT NULL,
    marks   integer[] NOT NULL,
    hashes  uuid[] NOT NULL,
    PRIMARY KEY (type, id)
);
-- How much may wait to be put in its place is set by whoever writes (gin_pending_list_limit).
CREATE INDEX search_value_hashes ON search_value USING gin (hashes);
CREATE INDEX search_value_written ON search_value (type, written, id);
CREATE INDEX search_value_patient ON search_value (patient, type) WHERE patient IS NOT NULL;

-- Dates, numbers and quantities that name nobody, as ranges: microseconds since 1970, or the number. The name stands for type and parameter.
CREATE TABLE search_range (
    name  integer NOT NULL,
    id    text NOT NULL,
    low   double precision NOT NULL,
    high  double precision NOT NULL,
    units integer[]
);
CREATE INDEX search_range_high ON search_range (name, high);
CREATE INDEX search_range_id ON search_range (id);

-- The patients, by their aliases, of audit events that are about several.
CREATE TABLE audit_about (
    alias   text NOT NULL,
    written timestamptz NOT NULL,
    id      text NOT NULL,
    PRIMARY KEY (alias, written, id)
);
