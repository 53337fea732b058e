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

-- Every version of everything, sealed. A row never changes.
CREATE TABLE entry (
    type       text NOT NULL,
    id         text NOT NULL,
    version    integer NOT NULL,
    kind       smallint NOT NULL,
    owner      uuid NOT NULL REFERENCES vault_owner,
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
CREATE INDEX entry_patient ON entry (patient, type, written) WHERE patient IS NOT NULL;

-- Where a patient's record lives: the key it is sealed under.
CREATE TABLE patient (
    id      text PRIMARY KEY,
    owner   uuid NOT NULL REFERENCES vault_owner,
    alias   text NOT NULL UNIQUE,
    created timestamptz NOT NULL
);

-- What the newest version is found by: keyed hashes of resource type, search parameter and value.
CREATE TABLE search_value (
    type   text NOT NULL,
    id     text NOT NULL,
    hashes uuid[] NOT NULL,
    PRIMARY KEY (type, id)
);
CREATE INDEX search_value_hashes ON search_value USING gin (hashes);
CREATE INDEX entry_audit ON entry (written DESC, id DESC) WHERE type = 'AuditEvent';

-- The patients, by their aliases, of audit events that are about several.
CREATE TABLE audit_about (
    alias   text NOT NULL,
    written timestamptz NOT NULL,
    id      text NOT NULL,
    PRIMARY KEY (alias, written, id)
);
